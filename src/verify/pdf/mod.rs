//! The parts of a PDF for verification: signatures, attachments, and the changes after a revision.

mod attached;
mod changes;
mod form;
mod uses;

pub(super) use self::attached::SecurityStore;
pub(super) use self::changes::Update;
#[cfg(all(feature = "sandbox", any(fuzzing, test)))]
pub(super) use self::form::Permits;
pub(super) use self::form::{Kind, RawSignature};
