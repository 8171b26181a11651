//! References: URLs of a job or status that can be stored and used later, by another process.

use std::sync::Arc;

use super::record::Record;
use crate::error::HandleError;
use crate::transport::{Download, Flow, Operation, Pades, Transport, Xades};
use crate::types::ServiceUrl;

/// Defines a reference type: a URL of the service with its environment, sender and job.
macro_rules! reference {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $method:literal) => {
        $(#[$doc])*
        ///
        /// It contains the environment, the URL and, as far as they are known, the sender and the number of the job.
        /// They are checked when it is used: the environment must be that of the client, and the URL must have the
        /// scheme, host and port of the service and belong to the same sender and job. `Debug` does not show the URL.
        ///
        /// It can be serialized with any self-describing serde format. JSON, CBOR and MessagePack are tested.
        ///
        /// Example: see [`guide::references`](crate::guide::references).
        #[derive(Clone, PartialEq, Eq)]
        #[must_use = "a reference does nothing by itself: store it, or give it to the client"]
        pub struct $name($crate::flow::Record);

        impl $name {
            /// Makes a reference to a URL of this client's environment.
            pub(crate) fn new(transport: &$crate::transport::Transport, url: &$crate::types::ServiceUrl) -> Self {
                let root = transport.root();
                let (url, subject) = (url.as_url().as_str(), url.subject(root));
                let record = $crate::flow::Record::new($crate::flow::Kind::$kind, root);
                Self(record.about(url, subject))
            }

            /// Makes a reference from a URL that another program has stored, such as one with an official client.
            ///
            /// # Errors
            ///
            /// [`HandleError::Origin`](crate::HandleError::Origin) when the URL does not have the scheme, host and port
            /// of the environment's service.
            pub fn from_url<T>(environment: &$crate::Environment<T>, url: &str) -> Result<Self, $crate::HandleError> {
                let kind = $crate::flow::Kind::$kind;
                $crate::flow::Record::from_urls(kind, environment, Some(url), Vec::new()).map(Self)
            }

            /// Returns the number of the job, if it is known.
            pub fn job_id(&self) -> Option<$crate::JobId> {
                self.0.job_id
            }

            /// Returns the URL. Requests to it need the certificate.
            pub fn url(&self) -> &str {
                self.0.url.as_deref().unwrap_or_default()
            }

            /// Checks that the reference belongs to this client, and returns the operation and the URL.
            pub(crate) fn open(
                &self,
                transport: &$crate::transport::Transport,
            ) -> Result<($crate::transport::Operation, $crate::types::ServiceUrl), $crate::HandleError> {
                self.0.open($method, transport.root())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("job_id", &self.job_id()).finish_non_exhaustive()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let record = $crate::flow::Record::deserialize(deserializer)?;
                record.of($crate::flow::Kind::$kind).map(Self).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use reference;

reference! {
    /// A stored reference to a signed PDF, see [`Download::reference`] and [`Client::pades`](crate::Client::pades).
    PadesReference, Pades, "pades"
}

reference! {
    /// A stored reference to a signer's XAdES, see [`Download::reference`](Download#method.reference-1) and
    /// [`Client::xades`](crate::Client::xades).
    XadesReference, Xades, "xades"
}

reference! {
    /// A stored reference to a confirmation, see
    /// [`direct::Status::confirmation_reference`](crate::direct::Status::confirmation_reference) and
    /// [`Client::confirm`](crate::Client::confirm).
    ConfirmationReference, Confirmation, "confirm"
}

reference! {
    /// A stored reference to a deletion of documents, see
    /// [`DocumentsDeletion::reference`](crate::DocumentsDeletion::reference) and
    /// [`Client::delete_documents`](crate::Client::delete_documents).
    DeletionReference, Deletion, "delete_documents"
}

reference! {
    /// A stored reference to a cancellation of a portal job, see
    /// [`portal::Job::cancellation_reference`](crate::portal::Job::cancellation_reference) and
    /// [`Client::cancel`](crate::Client::cancel).
    CancellationReference, Cancellation, "cancel"
}

impl Record {
    /// Sets the URL, and the sender and job that its path has.
    pub(crate) fn about(self, url: &str, subject: crate::types::Subject) -> Self {
        let job_id = self.job_id.or(subject.job);
        Self { url: Some(url.to_owned()), job_id, ..self }.sent_by(subject.sender)
    }

    /// Checks the URL of a reference against the service's root, and returns it with its operation.
    pub(crate) fn open(&self, method: &'static str, root: &url::Url) -> Result<(Operation, ServiceUrl), HandleError> {
        self.check(root)?;
        let url = self.service_url(root)?;
        let subject = url.subject(root);
        let flow = match (self.is_of_direct() || subject.is_direct, self.is_of_portal() || subject.is_portal) {
            (true, _) => Flow::Direct,
            (_, true) => Flow::Portal,
            _ => Flow::Unknown,
        };
        let operation = match self.job_id {
            Some(job) => Operation::on(flow, method, job),
            None => Operation::new(flow, method),
        };
        Ok((operation, url))
    }
}

impl Download<Pades> {
    /// Returns a reference that can be stored, for [`Client::pades`](crate::Client::pades).
    pub fn reference(&self) -> PadesReference {
        PadesReference::new(self.transport(), self.url())
    }
}

impl Download<Xades> {
    /// Returns a reference that can be stored, for [`Client::xades`](crate::Client::xades).
    pub fn reference(&self) -> XadesReference {
        XadesReference::new(self.transport(), self.url())
    }
}

impl PadesReference {
    pub(crate) fn download(&self, transport: &Arc<Transport>) -> Result<Download<Pades>, HandleError> {
        let (operation, url) = self.open(transport)?;
        Ok(Download::pades(transport, operation, &url))
    }
}

impl XadesReference {
    pub(crate) fn download(&self, transport: &Arc<Transport>) -> Result<Download<Xades>, HandleError> {
        let (operation, url) = self.open(transport)?;
        Ok(Download::xades(transport, operation, &url))
    }
}
