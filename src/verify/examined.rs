//! Examines a document without trust: its signatures, whether they are intact, and the changes after each.

use std::collections::HashSet;

use super::chain::Allowance;
use super::cms::{Intact, intact};
use super::pdf::{Kind, RawSignature, SecurityStore, Update};
use super::prefix::Prefixes;
use crate::error::VerificationError;
use crate::pdf::File;

/// A signature or timestamp of a PDF.
pub(super) struct ExaminedSignature {
    pub(super) kind: Kind,
    /// The end of the bytes that it covers.
    pub(super) end: usize,
    pub(super) intact: Result<Intact, VerificationError>,
    /// The changes after it, except permitted ones. Empty for timestamps, which prove time only.
    pub(super) changes: Vec<String>,
    pub(super) certification: Option<i64>,
}

/// The signatures, the oldest first, and the values for long-term validation.
pub(super) fn examine(bytes: &[u8]) -> Result<(Vec<ExaminedSignature>, SecurityStore), VerificationError> {
    let file = File::new(bytes)?;
    let view = file.whole()?;
    let found = view.signatures()?;
    let store = view.security_store()?;
    let (allowance, digested) = (Allowance::default(), Prefixes::default());
    let mut checked: Vec<_> = found.iter().map(|found| intact(found, &allowance, &digested)).collect();
    let of_kind = |wanted: bool| {
        let fitting = found.iter().zip(&checked);
        let fitting = fitting.filter(|(found, intact)| intact.is_ok() && (found.kind == Kind::Timestamp) == wanted);
        fitting.filter_map(|(found, _)| found.value).collect::<HashSet<_>>()
    };
    let (timestamps, signatures) = (of_kind(true), of_kind(false));
    let mut uses = None;
    let mut changes = Vec::new();
    for signature in &found {
        if signature.kind == Kind::Timestamp || signature.end == bytes.len() {
            changes.push(Vec::new());
            continue;
        }
        let old = match file.until(signature.end) {
            Ok(old) => old,
            // It covers no whole revision, so anything may follow the bytes that it covers.
            Err(VerificationError::NotPdf) => {
                changes.push(vec!["a signature covers no whole revision".to_owned()]);
                continue;
            }
            Err(error) => return Err(error),
        };
        if uses.is_none() {
            uses = Some(view.uses()?);
        }
        let Some(uses) = &uses else { continue };
        let update =
            Update { timestamps: timestamps.clone(), signatures: signatures.clone(), permits: &signature.permits };
        changes.push(view.changes_since(&old, uses, &update)?);
    }
    let examined = found.iter().zip(changes).map(|(found, changes)| {
        let RawSignature { kind, end, permits, .. } = found;
        let certification = permits.certification;
        ExaminedSignature { kind: *kind, end: *end, intact: checked.remove(0), changes, certification }
    });
    Ok((examined.collect(), store))
}
