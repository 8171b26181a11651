//! Certificates of authorities, read from PEM and DER.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::certificate::Certificate;
use crate::error::{Error, FileAction, TrustAnchorsError, file};

/// Certificates of authorities, read from files. Never empty.
///
/// [`Environment::trusting`](crate::Environment::trusting) trusts the authorities of these certificates.
/// [`Environment::with_issuers`](crate::Environment::with_issuers) uses the certificates only to complete a chain.
///
/// ```no_run
/// use posten_signering::TrustAnchors;
///
/// let anchors = TrustAnchors::from_directory("roots")?.and(TrustAnchors::from_pem_file("one-more.pem")?);
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[derive(Clone)]
pub struct TrustAnchors(Vec<CertificateDer<'static>>);

impl TrustAnchors {
    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// Reads all certificates of a PEM text.
    ///
    /// # Errors
    ///
    /// [`TrustAnchorsError`] if the text has no certificate, or one cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TrustAnchorsError> {
        let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        Self::new(certificates.map_err(|_| TrustAnchorsError::NotPem)?)
    }

    /// Reads one certificate in DER.
    ///
    /// # Errors
    ///
    /// [`TrustAnchorsError`] if it cannot be read.
    pub fn from_der(der: &[u8]) -> Result<Self, TrustAnchorsError> {
        Self::new(vec![CertificateDer::from(der.to_vec())])
    }

    /// Reads all certificates of a PEM file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be read, [`Error::TrustAnchors`] if it contains no certificates.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Ok(Self::from_pem(&read(path)?).map_err(in_file(path))?)
    }

    /// Reads one certificate of a DER file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be read, [`Error::TrustAnchors`] if it is not a certificate.
    pub fn from_der_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Ok(Self::from_der(&read(path)?).map_err(in_file(path))?)
    }

    /// Reads all certificates of the `.pem`, `.crt`, `.cer` and `.der` files of a directory, PEM or DER.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the directory or a file cannot be read; [`Error::TrustAnchors`] with the path if one of the
    /// files contains no certificate, or if the directory has no such file.
    pub fn from_directory(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = file(FileAction::Read, path);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(&failed)? {
            let file = entry.map_err(&failed)?.path();
            let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if !["pem", "crt", "cer", "der"].contains(&extension.to_ascii_lowercase().as_str()) {
                continue;
            }
            let content = read(&file)?;
            // A file that looks like PEM gets the error of PEM.
            let anchors = match content.windows(11).any(|part| part == b"-----BEGIN ") {
                true => Self::from_pem(&content),
                false => Self::from_der(&content),
            };
            found.extend(anchors.map_err(in_file(&file))?.0);
        }
        Ok(Self::new(found).map_err(in_file(path))?)
    }

    /// Adds the other certificates.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, TrustAnchorsError> {
        if certificates.is_empty() {
            return Err(TrustAnchorsError::Empty);
        }
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            let is_readable = Certificate::parse(certificate).is_ok() && store.add(certificate.clone()).is_ok();
            is_readable.then_some(()).ok_or(TrustAnchorsError::NotCertificate)?;
        }
        Ok(Self(certificates))
    }
}

impl std::fmt::Debug for TrustAnchors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TrustAnchors({})", self.0.len())
    }
}

/// Adds the path to the error.
fn in_file(path: &Path) -> impl Fn(TrustAnchorsError) -> TrustAnchorsError {
    |reason| TrustAnchorsError::File { path: path.to_owned(), reason: Box::new(reason) }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(file(FileAction::Read, path))
}
