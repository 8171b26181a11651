//! What a signer has done, in either flow.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time;
use crate::transport::{Download, Xades};

/// What one signer has done. `N` is how the flow names a signer.
///
/// [`direct::Signature`](crate::direct::Signature) and [`portal::Signature`](crate::portal::Signature) are the two
/// there are.
///
/// ```
/// use posten_signering::direct::{Completed, Signature, Status};
///
/// fn show(done: &Status<Completed>) {
///     for signature in done.signatures() {
///         println!("{} {:?}", signature.status().as_str(), signature.since());
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Signature<N> {
    signer: Option<N>,
    status: SignatureStatus,
    since: Option<Timestamp>,
    xades: Option<Download<Xades>>,
}

impl<N> Signature<N> {
    /// From the word and the time of an answer.
    pub(crate) fn read(signer: Option<N>, word: &str, since: Option<&str>, xades: Option<Download<Xades>>) -> Self {
        Self { signer, status: SignatureStatus::from_wire(word), since: since.and_then(time::parse), xades }
    }

    /// The signer, as the service names them. `None` where it does not, or not in a form that can be read: commonly for
    /// the only signer of a direct job.
    ///
    /// To find the signature of a signer of your request, use `signature_of` on the status: the service may write names in
    /// another way than you did.
    pub fn signer(&self) -> Option<&N> {
        self.signer.as_ref()
    }

    /// What the signer has done.
    pub fn status(&self) -> &SignatureStatus {
        &self.status
    }

    /// When the signer did it. `None` where the service does not say, or not in a form that can be read.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// The signer's own signature (XAdES), when the signer has signed and the service still has it.
    pub fn xades(&self) -> Option<&Download<Xades>> {
        self.xades.as_ref()
    }
}

impl<N> fmt::Debug for Signature<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").field("status", &self.status).field("since", &self.since).finish_non_exhaustive()
    }
}

/// What a signer has done. The list grows: a word that this version does not know is kept as it is.
///
/// ```
/// use posten_signering::SignatureStatus;
///
/// /// Whether the signer can be asked again, with a new job.
/// fn may_be_asked_again(status: &SignatureStatus) -> bool {
///     matches!(status, SignatureStatus::Expired | SignatureStatus::Failed)
/// }
/// # assert!(!may_be_asked_again(&SignatureStatus::Rejected));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureStatus {
    /// Nothing yet.
    Waiting,
    /// Declined to sign.
    Rejected,
    /// The sender cancelled the job before they acted. Portal flow.
    Cancelled,
    /// Is reserved against digital communication with the public sector. Portal flow, public senders.
    Reserved,
    /// No contact information was given or found. Portal flow.
    ContactInformationMissing,
    /// Did not sign in time.
    Expired,
    /// Could not sign because something went wrong. Direct flow.
    Failed,
    /// Signed.
    Signed,
    /// Entered the wrong security code too many times. Portal flow, signers addressed by e-mail or mobile number.
    Blocked,
    /// The service could not find out their name, which the signed document must have.
    SignersNameNotAvailable,
    /// The job was over before they acted.
    NotApplicable,
    /// Something that this version does not know. An empty text where the service says nothing.
    Other(String),
}

/// The words of the service.
const WORDS: [(&str, SignatureStatus); 11] = [
    ("WAITING", SignatureStatus::Waiting),
    ("REJECTED", SignatureStatus::Rejected),
    ("CANCELLED", SignatureStatus::Cancelled),
    ("RESERVED", SignatureStatus::Reserved),
    ("CONTACT_INFORMATION_MISSING", SignatureStatus::ContactInformationMissing),
    ("EXPIRED", SignatureStatus::Expired),
    ("FAILED", SignatureStatus::Failed),
    ("SIGNED", SignatureStatus::Signed),
    ("BLOCKED", SignatureStatus::Blocked),
    ("SIGNERS_NAME_NOT_AVAILABLE", SignatureStatus::SignersNameNotAvailable),
    ("NOT_APPLICABLE", SignatureStatus::NotApplicable),
];

impl SignatureStatus {
    /// The status with this word of the API.
    pub(crate) fn from_wire(word: &str) -> Self {
        let word = word.trim();
        let known = WORDS.into_iter().find(|(known, _)| *known == word);
        known.map_or_else(|| Self::Other(word.to_owned()), |(_, status)| status)
    }

    /// The word of the service.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(word) => word,
            known => WORDS.iter().find(|(_, status)| status == known).map_or("", |(word, _)| word),
        }
    }
}

impl FromStr for SignatureStatus {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(Self::from_wire(word))
    }
}

impl fmt::Display for SignatureStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for SignatureStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SignatureStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_wire(&Cow::<'_, str>::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_and_written_and_an_unknown_one_is_kept() {
        for (word, status) in WORDS {
            assert_eq!(SignatureStatus::from_wire(&format!(" {word}\n")), status);
            assert_eq!(status.as_str(), word);
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("{word:?}"));
            assert_eq!(serde_json::from_str::<SignatureStatus>(&format!("{word:?}")).unwrap(), status);
        }
        assert_eq!(SignatureStatus::from_wire("DANCING"), SignatureStatus::Other("DANCING".to_owned()));
        assert_eq!(SignatureStatus::Other("DANCING".to_owned()).as_str(), "DANCING");
    }
}
