//! Signatures of a document without trust.

use super::evidence::Evidence;
use super::examined::examine;
use super::signature::CheckedSignature;
use crate::error::VerificationError;

/// The signatures of a signed PDF, **without trust**, to find out who seals it. Anybody may have created them.
///
/// ```no_run
/// use posten_signering::verify::Inspected;
///
/// let bytes = std::fs::read("signed.pdf")?;
/// for (signature, fault) in Inspected::read(&bytes)?.signatures() {
///     println!("{} (claimed), {:?}", signature.subject(), fault);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Inspected {
    signatures: Vec<(CheckedSignature, Option<VerificationError>)>,
    broken: Vec<VerificationError>,
}

impl Inspected {
    /// Reads a PDF.
    ///
    /// # Errors
    ///
    /// [`VerificationError`] if the file is not a PDF, or is refused before its signatures are read. Errors of single
    /// signatures are in the result.
    pub fn read(bytes: &[u8]) -> Result<Self, VerificationError> {
        let (examined, _) = examine(bytes)?;
        let (mut signatures, mut broken) = (Vec::new(), Vec::new());
        for signature in &examined {
            match &signature.intact {
                Ok(intact) => {
                    let changes = signature.changes.clone();
                    let fault = (!changes.is_empty()).then_some(VerificationError::Appended { changes });
                    signatures.push((CheckedSignature::of_pdf(&intact.signer, signature, intact.time, None), fault));
                }
                Err(error) => broken.push(error.clone()),
            }
        }
        Ok(Self { signatures, broken })
    }

    /// Returns the intact signatures and timestamps, the oldest first, each with an error if the document was changed
    /// after it. Their certificates may be anybody's.
    pub fn signatures(&self) -> &[(CheckedSignature, Option<VerificationError>)] {
        &self.signatures
    }

    /// Returns the errors of the signatures that are not intact.
    pub fn broken(&self) -> &[VerificationError] {
        &self.broken
    }

    /// Reads a technical signature.
    ///
    /// # Errors
    ///
    /// [`VerificationError`] when the format is not supported, or the signature is not intact.
    pub fn read_technical_signature(bytes: &[u8]) -> Result<InspectedEvidence, VerificationError> {
        Evidence::unverified(bytes).map(InspectedEvidence)
    }
}

/// An intact technical signature, **without trust**. Anybody may have created it.
///
/// Example: see [`Inspected`].
#[derive(Debug)]
pub struct InspectedEvidence(Evidence);

impl InspectedEvidence {
    /// Returns its statements.
    pub fn evidence(&self) -> &Evidence {
        &self.0
    }
}
