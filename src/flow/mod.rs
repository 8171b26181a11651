//! Code that both flows share: creating a job, states, statuses, handles and references.

mod change;
mod confirmation;
mod deletion;
mod failed_call;
mod progress;
mod record;
mod reference;
mod sealed;
mod sender;
mod session;
mod signature;
mod state;
mod status;
mod value;
mod wire;

pub use self::change::{Change, ChangeKey};
pub(crate) use self::confirmation::Confirmation;
pub use self::deletion::DocumentsDeletion;
pub use self::failed_call::FailedCall;
pub use self::progress::Progress;
pub(crate) use self::record::{Kind, Record, TOKEN};
pub(crate) use self::reference::reference;
pub use self::reference::{
    CancellationReference, ConfirmationReference, DeletionReference, PadesReference, XadesReference,
};
pub(crate) use self::sealed::Sealed;
pub use self::sender::{HasSender, NoSender, SenderChoice};
pub(crate) use self::session::{AnswerReader, OnAbandoned, Session, warn_of_abandoned};
pub use self::signature::{Signature, SignatureStatus};
pub use self::state::{Completed, Confirmed, DocumentsGone, Failed, JobState, StatusState};
pub(crate) use self::status::{Common, Links, offered};
