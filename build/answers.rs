//! What an answer may lack although the schemas demand it.
//!
//! The authors of the schemas advise clients not to validate answers: one odd part must not keep a change from being
//! read and confirmed. The schemas here stay those that are published; this table is what reading an answer adds to
//! them. Lists need no row: in an answer they have any length, none included.

/// A type, a part that it demands (an element, an attribute or a group), and why an answer without it is of use.
const MAY_BE_MISSING: [(&str, &str, &str); 7] = [
    ("portal-signature-job-response", "cancellation-url", "the job exists, and its changes come without it"),
    (
        "portal-signature-job-status-change-response",
        "confirmation-url",
        "there is nothing to send, as in the direct flow",
    ),
    ("portal-signature-job-status-change-response", "signatures", "the job's own state is known without them"),
    ("signature", "status", "an empty word says as little"),
    ("signature", "signature-signer", "a signature of nobody known; what is inside may be unreadable, too"),
    ("signature-status", "since", "a time to be shown: nothing depends on it"),
    ("signer-status", "since", "as above"),
];

/// Whether an answer may lack this part of this type.
pub fn may_lack(type_: &str, part: &str) -> bool {
    MAY_BE_MISSING.iter().any(|(of, name, _)| (*of, *name) == (type_, part))
}

/// The rows that name nothing that the schemas demand.
pub fn stale(demands: impl Fn(&str, &str) -> bool) -> impl Iterator<Item = String> {
    let stale = MAY_BE_MISSING.into_iter().filter(move |(type_, part, _)| !demands(type_, part));
    stale.map(|(type_, part, _)| format!("build/answers.rs: the type {type_} does not demand `{part}`"))
}
