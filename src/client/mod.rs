//! The client and its builder.

mod builder;
mod credential;
mod health;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use self::builder::{ClientBuilder, Missing};
pub use self::credential::{ClientCertificate, Credential};
pub use self::health::Health;
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

/// A client for one environment, with one identity.
///
/// Cheap to clone: clones share connections and the rate limiter. Create one and reuse it.
///
/// `S` is [`HasSender`] if the client has a default sender. Without one ([`NoSender`](crate::NoSender)), it can create
/// only jobs whose request has a sender. [`sending_as`](Self::sending_as) sets or changes it. See
/// [`guide::senders`](crate::guide::senders).
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
/// // A broker acts for another organization, over the same connections.
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
    /// Returns the default sender.
    pub fn sender(&self) -> &Sender {
        &self.sender.0
    }

    /// Asks the service which organization it sees: the check of certificate, trust anchors and rights.
    ///
    /// Returns a text for people: "You are 984661185", or "You are N, operating on behalf of M".
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the call only reads.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] with the likely cause, [`Error::NotAuthorized`], [`Error::BrokerNotAuthorized`], and any error
    /// common to all calls, see [`Error`].
    pub async fn whoami(&self) -> Result<String, Error> {
        let organization = self.sender.0.organization_number();
        let url = ServiceUrl::below(self.session.transport.root(), &[organization.as_str()]);
        Operation::new(Flow::Organization, "whoami").run(self.session.transport.get_text(&url)).await
    }
}

impl<S> Client<S> {
    /// Returns a client for another sender, with the same connections, identity and rate limiter.
    ///
    /// Use it as a broker, to act for another organization.
    #[doc(alias("broker", "on behalf of"))]
    pub fn sending_as(&self, sender: impl Into<Sender>) -> Client<HasSender> {
        Client { session: Arc::clone(&self.session), sender: HasSender(sender.into()) }
    }

    /// Returns the archive: signed documents in the service's long-term storage.
    pub fn archive(&self) -> Archive {
        Archive::new(&self.session.transport)
    }

    #[cfg(any(fuzzing, all(test, feature = "sandbox")))]
    pub(crate) fn transport(&self) -> &Arc<crate::transport::Transport> {
        &self.session.transport
    }

    /// Returns the environment of the client, without its token endpoint.
    pub fn environment(&self) -> &Environment<NoTokens> {
        self.session.transport.environment()
    }

    /// Returns the organization number in the certificate, if it has one.
    pub fn organization_number(&self) -> Option<&OrganizationNumber> {
        self.session.identity.organization_number()
    }

    /// Returns the end of the certificate's validity. Monitor it: a renewal takes days.
    pub fn valid_until(&self) -> Timestamp {
        self.session.identity.valid_until()
    }

    /// Fetches an access token if there is none, and returns its remaining lifetime, for a readiness check. `None` for
    /// a client without access tokens. The token itself is not accessible.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: a running request for a token continues, and the next call uses the token.
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

    /// Returns a download of a signed PDF by a stored reference. Nothing is requested until the [`Download`] is used.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the reference belongs to another environment, or its URL belongs to another job.
    pub fn pades(&self, reference: &PadesReference) -> Result<Download<Pades>, Error> {
        Ok(reference.download(&self.session.transport)?)
    }

    /// Returns a download of a XAdES by a stored reference. Nothing is requested until the [`Download`] is used.
    ///
    /// # Errors
    ///
    /// The errors of [`pades`](Self::pades).
    pub fn xades(&self, reference: &XadesReference) -> Result<Download<Xades>, Error> {
        Ok(reference.download(&self.session.transport)?)
    }

    /// Confirms a status by a stored reference.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the status may or may not be confirmed. Confirmation is
    /// idempotent: repeat the call.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] as for [`pades`](Self::pades), and any error common to all calls, see [`Error`].
    pub async fn confirm(&self, reference: &ConfirmationReference) -> Result<(), Error> {
        let transport = &self.session.transport;
        let (operation, url) = reference.open(transport)?;
        operation.run(transport.post_empty(&url)).await
    }

    /// Deletes the documents of a job from the service by a stored reference, permanently.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the documents may or may not be deleted. Deletion is idempotent:
    /// repeat the call.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] as for [`pades`](Self::pades), and any error common to all calls, see [`Error`].
    pub async fn delete_documents(&self, reference: &DeletionReference) -> Result<(), Error> {
        let transport = &self.session.transport;
        let (operation, url) = reference.open(transport)?;
        operation.run(transport.delete(&url)).await
    }

    /// Cancels a portal job by a stored reference.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the job may or may not be cancelled. Repeat the call: if the job
    /// is already cancelled, it fails with [`Error::JobCannotBeCancelled`]. The last change of the job shows the
    /// outcome.
    ///
    /// # Errors
    ///
    /// [`Error::JobCannotBeCancelled`] when the job has already been completed or cancelled, [`Error::Handle`] as for
    /// [`pades`](Self::pades), and any error common to all calls, see [`Error`].
    pub async fn cancel(&self, reference: &CancellationReference) -> Result<(), Error> {
        let transport = &self.session.transport;
        let (operation, url) = reference.open(transport)?;
        portal::cancel(transport, operation, &url).await
    }
}

impl<S: Clone> Client<S> {
    /// Returns the direct flow: your web pages redirect the signers to the service.
    pub fn direct(&self) -> Direct<S> {
        Direct::new(&self.session, self.sender.clone())
    }

    /// Returns the portal flow: the service invites the signers.
    pub fn portal(&self) -> Portal<S> {
        Portal::new(&self.session, self.sender.clone())
    }

    /// Returns a client with other timeouts and the same connections, for some calls.
    ///
    /// The timeout for connecting does not change, because the connections are shared.
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
