//! Parts that the schemas require, but that may be missing in an answer.
//!
//! The authors of the schemas advise clients not to validate answers: one invalid part must not prevent a change from
//! being read and confirmed. The schemas here are equivalent to the published ones, and this table lists the exceptions
//! for reading answers. Lists need no row: in an answer they may have any length, including zero.

/// A type, a part that it requires (an element, an attribute or a group), and why an answer without it is still useful.
const MAY_BE_MISSING: [(&str, &str, &str); 7] = [
    ("portal-signature-job-response", "cancellation-url", "the job exists, and its changes are delivered without it"),
    (
        "portal-signature-job-status-change-response",
        "confirmation-url",
        "there is nothing to send, as in the direct flow",
    ),
    ("portal-signature-job-status-change-response", "signatures", "the state of the job is known without them"),
    ("signature", "status", "equivalent to an empty status"),
    ("signature", "signature-signer", "a signature of an unknown signer; its content may be unreadable, too"),
    ("signature-status", "since", "a time for display; nothing depends on it"),
    ("signer-status", "since", "as above"),
];

/// Whether an answer may lack this part of this type.
pub fn may_lack(type_: &str, part: &str) -> bool {
    MAY_BE_MISSING.iter().any(|(of, name, _)| (*of, *name) == (type_, part))
}

/// The rows whose part the schemas do not require.
pub fn stale(demands: impl Fn(&str, &str) -> bool) -> impl Iterator<Item = String> {
    let stale = MAY_BE_MISSING.into_iter().filter(move |(type_, part, _)| !demands(type_, part));
    stale.map(|(type_, part, _)| format!("build/answers.rs: the type {type_} does not require `{part}`"))
}
