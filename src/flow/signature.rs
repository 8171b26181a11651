//! The signature status of a signer, in either flow.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time;
use crate::transport::{Download, Xades};

/// The signature of one signer: its status, the time of the last change, and the XAdES once it is signed.
///
/// `N` identifies the signer: see [`direct::Signature`](crate::direct::Signature) and
/// [`portal::Signature`](crate::portal::Signature).
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
    /// Reads the status and the time of an answer.
    pub(crate) fn read(signer: Option<N>, word: &str, since: Option<&str>, xades: Option<Download<Xades>>) -> Self {
        Self { signer, status: SignatureStatus::from_wire(word), since: since.and_then(time::parse), xades }
    }

    /// Returns the signer as the service identifies them. `None` where the service does not, or not in a readable form,
    /// which is common for the only signer of a direct job.
    ///
    /// To find the signature of a signer of your request, use `signature_of` of the status: the service may return
    /// names in another form than yours.
    pub fn signer(&self) -> Option<&N> {
        self.signer.as_ref()
    }

    /// Returns the status of the signature.
    pub fn status(&self) -> &SignatureStatus {
        &self.status
    }

    /// Returns the time since which the signature has this status. `None` where the service gives none, or not in a
    /// readable form.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Returns the XAdES of this signer, if they have signed and the service still has it.
    #[doc(alias("XAdES", "getXAdES", "GetXades"))]
    pub fn xades(&self) -> Option<&Download<Xades>> {
        self.xades.as_ref()
    }
}

impl<N> fmt::Debug for Signature<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").field("status", &self.status).field("since", &self.since).finish_non_exhaustive()
    }
}

/// The status of a signature. A status that this version of the crate does not know is kept as [`Other`](Self::Other).
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
    /// The signer has not acted yet.
    Waiting,
    /// The signer has rejected the document.
    Rejected,
    /// The sender cancelled the job before the signer acted. Portal flow.
    Cancelled,
    /// The signer has opted out of digital communication with the public sector (*reservert*). Portal flow, public
    /// senders.
    Reserved,
    /// The service has no contact information of the signer. Portal flow.
    ContactInformationMissing,
    /// The signer did not sign in time.
    Expired,
    /// The signing ceremony failed. Direct flow.
    Failed,
    /// The signer has signed.
    Signed,
    /// The signer entered a wrong security code too many times. Portal flow, signers identified by e-mail address or
    /// mobile number.
    Blocked,
    /// The service could not look up the name of the signer, which the signed document must contain.
    SignersNameNotAvailable,
    /// The job ended before the signer acted.
    NotApplicable,
    /// A status that this version of the crate does not know. Empty if the service gave none.
    Other(String),
}

/// The statuses as the API names them.
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
    /// Parses a status of the API.
    pub(crate) fn from_wire(word: &str) -> Self {
        let word = word.trim();
        let known = WORDS.into_iter().find(|(known, _)| *known == word);
        known.map_or_else(|| Self::Other(word.to_owned()), |(_, status)| status)
    }

    /// Returns the status as the API names it.
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
