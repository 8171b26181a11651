//! Converts errors of the HTTP and TLS libraries.

use rustls::{AlertDescription as Alert, CertificateError, OtherError};

use crate::asice::UnreadableDocument;
use crate::error::{Error, TlsError, causes};

/// Converts an error of the HTTP client.
///
/// Only a failed handshake is [`Error::Tls`], and the refusal of our certificate, which in TLS 1.3 arrives after it:
/// then the request was not processed. After any other error of TLS, it may have been.
pub(super) fn failed(error: reqwest::Error) -> Error {
    // The URL may contain a token.
    let error = error.without_url();
    let tls = causes(&error).find_map(|cause| cause.downcast_ref()).map(tls_error);
    if let Some(tls) = tls.filter(|tls| error.is_connect() || matches!(tls, TlsError::OurCertificateRefused { .. })) {
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
