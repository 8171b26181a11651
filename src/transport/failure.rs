//! What a failure of the HTTP and TLS libraries means.

use rustls::{AlertDescription as Alert, CertificateError, OtherError};

use crate::asice::UnreadableDocument;
use crate::error::{Error, TlsError, causes};

/// What a failure of the HTTP client means.
pub(super) fn failed(error: reqwest::Error) -> Error {
    // The URL may carry a token.
    let error = error.without_url();
    if let Some(tls) = causes(&error).find_map(|cause| cause.downcast_ref()).map(tls_error) {
        return Error::Tls(tls);
    }
    if let Some(document) = UnreadableDocument::find(&error) {
        return document;
    }
    if error.is_connect() {
        Error::Connect(Box::new(error))
    } else if error.is_timeout() {
        Error::Timeout
    } else {
        Error::Transport(Box::new(error))
    }
}

fn tls_error(error: &rustls::Error) -> TlsError {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            inner.downcast_ref::<TlsError>().cloned().unwrap_or(TlsError::BadCertificate)
        }
        rustls::Error::AlertReceived(
            alert @ (Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::CertificateRequired
            | Alert::DecryptError
            | Alert::HandshakeFailure),
        ) => TlsError::OurCertificateRefused { alert: format!("{alert:?}") },
        other => TlsError::Other(other.to_string()),
    }
}
