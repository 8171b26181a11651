//! What a document says of itself.

use super::evidence::Evidence;
use super::examined::examine;
use super::signature::CheckedSignature;
use crate::error::VerificationError;

/// What a signed PDF says of itself: for looking at it, and for finding out who seals it. **Nobody vouches for it.**
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
    /// When it is no PDF, or is refused before its signatures are looked at. What is wrong with a signature is told
    /// beside it.
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

    /// The signatures and timestamps that are intact, the oldest first, each with what was changed after it. Their
    /// certificates may be anybody's.
    pub fn signatures(&self) -> &[(CheckedSignature, Option<VerificationError>)] {
        &self.signatures
    }

    /// Why signatures are not intact, one for each of them.
    pub fn broken(&self) -> &[VerificationError] {
        &self.broken
    }

    /// Reads a technical signature.
    ///
    /// # Errors
    ///
    /// When it is of a form that is not understood, or is not intact.
    pub fn read_technical_signature(bytes: &[u8]) -> Result<InspectedEvidence, VerificationError> {
        Evidence::unvouched(bytes).map(InspectedEvidence)
    }
}

/// What a technical signature says: it is intact, and by whomever. **Nobody vouches for it.**
///
/// Example: see [`Inspected`].
#[derive(Debug)]
pub struct InspectedEvidence(Evidence);

impl InspectedEvidence {
    /// What it states.
    pub fn evidence(&self) -> &Evidence {
        &self.0
    }
}
