//! What verification reads of a PDF: signatures, attachments, and what was changed after a revision.

mod attached;
mod changes;
mod form;
mod uses;

pub(super) use self::attached::SecurityStore;
pub(super) use self::changes::Update;
#[cfg(all(feature = "sandbox", any(fuzzing, test)))]
pub(super) use self::form::Permits;
pub(super) use self::form::{Kind, RawSignature};
