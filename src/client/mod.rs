//! The client and its builder.

mod builder;
mod credential;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use self::builder::{ClientBuilder, Missing};
pub use self::credential::{ClientCertificate, Credential};
use crate::archive::Archive;
use crate::direct::Direct;
use crate::error::Error;
use crate::flow::{
    CancellationReference, ConfirmationReference, DeletionReference, HasSender, PadesReference, Session, XadesReference,
};
use crate::portal::{self, Portal};
use crate::transport::{Download, Flow, Operation, Pades, Timeouts, Xades};
use crate::trust::{Environment, NoTokens};
use crate::types::{OrganizationNumber, Sender, ServiceUrl};

/// A connection to one environment with one identity.
///
/// Cheap to clone: clones share connections. Make one and keep it.
///
/// `S` tells whether it has a sender of its own. Without one ([`NoSender`](crate::NoSender)) it can only create jobs whose request names
/// the sender; [`sending_as`](Self::sending_as) gives it one, or another.
///
/// ```no_run
/// use posten_signering::{Client, Environment, Identity, Sender};
///
/// # async fn example(password: secrecy::SecretString) -> Result<(), posten_signering::Error> {
/// let client = Client::builder()
///     .environment(Environment::production())
///     .identity(Identity::from_pkcs12_file("virksomhet.p12", &password)?)
///     .sender(Sender::new("123456789".parse()?))
///     .build()?;
/// println!("{}", client.whoami().await?);
///
/// // A broker's certificate acts for others: over the same connections.
/// let other = client.sending_as(Sender::new("987654321".parse()?));
/// println!("{}", other.whoami().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client<S = HasSender> {
    session: Arc<Session>,
    sender: S,
}

impl Client<HasSender> {
    /// The sender that jobs are created for unless their request names another.
    pub fn sender(&self) -> &Sender {
        &self.sender.0
    }

    /// Asks the service which organization it sees: the check of certificate, trust anchors and rights.
    ///
    /// The answer is a sentence for people: "You are 984661185", or "You are N, operating on behalf of M".
    ///
    /// # Cancel safety
    ///
    /// Reads only: it may be dropped at any time.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] with the likely cause, [`Error::NotAuthorized`], [`Error::BrokerNotAuthorized`], and any error common
    /// to all calls, see [`Error`].
    pub async fn whoami(&self) -> Result<String, Error> {
        let organization = self.sender.0.organization_number();
        let url = ServiceUrl::below(self.session.transport.root(), &[organization.as_str()]);
        Operation::new(Flow::Organization, "whoami").run(self.session.transport.get_text(&url)).await
    }
}

impl<S> Client<S> {
    /// The same connection for another sender.
    ///
    /// A broker acts for many organizations with one certificate: this is how it says for which.
    pub fn sending_as(&self, sender: impl Into<Sender>) -> Client<HasSender> {
        Client { session: Arc::clone(&self.session), sender: HasSender(sender.into()) }
    }

    /// The archive: signed documents in the service's long-term storage.
    pub fn archive(&self) -> Archive {
        Archive::new(&self.session.transport)
    }

    #[cfg(any(fuzzing, all(test, feature = "sandbox")))]
    pub(crate) fn transport(&self) -> &Arc<crate::transport::Transport> {
        &self.session.transport
    }

    /// The environment that the client talks to, without its token endpoint.
    pub fn environment(&self) -> &Environment<NoTokens> {
        self.session.transport.environment()
    }

    /// The organization of the certificate, if its subject names one.
    pub fn organization_number(&self) -> Option<&OrganizationNumber> {
        self.session.identity.organization_number()
    }

    /// When the certificate expires. Order the next one in time: a renewal takes days.
    pub fn valid_until(&self) -> Timestamp {
        self.session.identity.valid_until()
    }

    /// Makes sure that there is an access token, and tells how long it can be used: for a readiness check. `None` for a
    /// client without access tokens. The token itself is shown to nobody.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time: a request that has begun goes on, and the next call uses its token.
    ///
    /// # Errors
    ///
    /// [`Error::AccessToken`].
    pub async fn access_token_left(&self) -> Result<Option<Duration>, Error> {
        let transport = &self.session.transport;
        let retry = transport.retry();
        let asked = retry.run(|_| transport.token_left());
        Operation::new(Flow::Organization, "access_token").run(asked).await
    }

    /// The signed PDF that a stored reference names. Nothing is requested until the [`Download`] is used.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the reference belongs to another environment, or its URL to another job.
    pub fn pades(&self, reference: &PadesReference) -> Result<Download<Pades>, Error> {
        Ok(reference.download(&self.session.transport)?)
    }

    /// The XAdES signature that a stored reference names. Nothing is requested until the [`Download`] is used.
    ///
    /// # Errors
    ///
    /// As for [`pades`](Self::pades).
    pub fn xades(&self, reference: &XadesReference) -> Result<Download<Xades>, Error> {
        Ok(reference.download(&self.session.transport)?)
    }

    /// Confirms the status that a stored reference names.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, it may have been done or not. Call it again: the service takes it as often as it comes.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] as for [`pades`](Self::pades), and any error common to all calls, see [`Error`].
    pub async fn confirm(&self, reference: &ConfirmationReference) -> Result<(), Error> {
        let transport = &self.session.transport;
        let (operation, url) = reference.open(transport)?;
        operation.run(transport.post_empty(&url)).await
    }

    /// Deletes the documents that a stored reference names from the service, for good.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, it may have been done or not. Call it again: the service takes it as often as it comes.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] as for [`pades`](Self::pades), and any error common to all calls, see [`Error`].
    pub async fn delete_documents(&self, reference: &DeletionReference) -> Result<(), Error> {
        let transport = &self.session.transport;
        let (operation, url) = reference.open(transport)?;
        operation.run(transport.delete(&url)).await
    }

    /// Cancels the portal job that a stored reference names.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, the job may be cancelled or not. Call it again: after a cancellation the error is
    /// [`Error::JobCannotBeCancelled`], and the last change of the job tells.
    ///
    /// # Errors
    ///
    /// [`Error::JobCannotBeCancelled`] when it is completed or cancelled already, [`Error::Handle`] as for
    /// [`pades`](Self::pades), and any error common to all calls, see [`Error`].
    pub async fn cancel(&self, reference: &CancellationReference) -> Result<(), Error> {
        let transport = &self.session.transport;
        let (operation, url) = reference.open(transport)?;
        portal::cancel(transport, operation, &url).await
    }
}

impl<S: Clone> Client<S> {
    /// The direct flow: the signers are in your own web pages.
    pub fn direct(&self) -> Direct<S> {
        Direct::new(&self.session, self.sender.clone())
    }

    /// The portal flow: the service invites the signers.
    pub fn portal(&self) -> Portal<S> {
        Portal::new(&self.session, self.sender.clone())
    }

    /// The same connection with other timeouts: for one call, or for some.
    ///
    /// The timeout for connecting stays that of the client, because connections are shared.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use posten_signering::{Client, Timeouts};
    ///
    /// # async fn example(client: &Client) -> Result<(), posten_signering::Error> {
    /// let quick = Timeouts::builder().answer(Duration::from_secs(2)).build();
    /// println!("{}", client.with_timeouts(quick).whoami().await?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_timeouts(&self, timeouts: Timeouts) -> Self {
        let transport = Arc::new(self.session.transport.with_timeouts(timeouts));
        Self { session: Arc::new(Session { transport, ..(*self.session).clone() }), sender: self.sender.clone() }
    }
}

impl<S: fmt::Debug> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("root", &self.session.transport.root().as_str())
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}
