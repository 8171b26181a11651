//! The states of jobs and statuses. Sealed: nobody else can add one, or be in one without having got there.

use crate::client::{HasSender, NoSender};
use crate::types::PollingQueue;

/// The job was created just now: its signers have their redirect URLs.
///
/// Example: a state is never made by hand; [`guide::direct_flow`](crate::guide::direct_flow) and
/// [`guide::portal_flow`](crate::guide::portal_flow) show the way through them.
#[derive(Clone, Copy, Debug)]
pub enum Created {}

/// The job was taken up again from a stored handle.
///
/// Example: a state is never made by hand; [`guide::direct_flow`](crate::guide::direct_flow) and
/// [`guide::portal_flow`](crate::guide::portal_flow) show the way through them.
#[derive(Clone, Copy, Debug)]
pub enum Resumed {}

/// The job is over for the sender, and for the service.
///
/// Example: a state is never made by hand; [`guide::direct_flow`](crate::guide::direct_flow) and
/// [`guide::portal_flow`](crate::guide::portal_flow) show the way through them.
#[derive(Clone, Copy, Debug)]
pub enum Confirmed {}

/// The sender has cancelled the job. Portal flow.
///
/// Example: a state is never made by hand; [`guide::direct_flow`](crate::guide::direct_flow) and
/// [`guide::portal_flow`](crate::guide::portal_flow) show the way through them.
#[derive(Clone, Copy, Debug)]
pub enum Cancelled {}

/// Somebody has yet to act.
///
/// Example: a state is never made by hand; [`guide::direct_flow`](crate::guide::direct_flow) and
/// [`guide::portal_flow`](crate::guide::portal_flow) show the way through them.
#[derive(Clone, Copy, Debug)]
pub enum InProgress {}

/// Everybody has signed.
///
/// Example: a state is never made by hand; [`guide::direct_flow`](crate::guide::direct_flow) and
/// [`guide::portal_flow`](crate::guide::portal_flow) show the way through them.
#[derive(Clone, Copy, Debug)]
pub enum Completed {}

/// Somebody rejected, something failed, or the time ran out.
///
/// Example: a state is never made by hand; [`guide::direct_flow`](crate::guide::direct_flow) and
/// [`guide::portal_flow`](crate::guide::portal_flow) show the way through them.
#[derive(Clone, Copy, Debug)]
pub enum Failed {}

/// The status is asked for with a token that the signer's browser brings back (`WAIT_FOR_CALLBACK`).
///
/// Example: see [`Job::status`](crate::direct::Job::status); it only stands in types.
#[derive(Clone, Copy, Debug)]
pub struct Callback;

/// Changes are taken from a queue (`POLLING`).
///
/// Example: see [`JobRequest::polling`](crate::direct::JobRequest::polling), which makes it.
#[derive(Clone, Debug)]
pub struct Polling {
    pub(crate) queue: PollingQueue,
}

/// The portal flow, where the states of jobs know other things than in the direct flow.
///
/// Example: none; it only stands in bounds.
#[derive(Clone, Copy, Debug)]
pub enum InPortal {}

/// How the changes of a direct job are learnt of: by [`Callback`] or by [`Polling`].
///
/// Example: none; it is sealed, and only stands in bounds.
pub trait Retrieval: sealed::Retrieval {}

impl Retrieval for Callback {}
impl Retrieval for Polling {}

/// A state of a [`direct::Job`](crate::direct::Job) whose changes are learnt of by `R`, or, with [`InPortal`] as `R`, of
/// a [`portal::Job`](crate::portal::Job).
///
/// Example: none; it is sealed, and only stands in bounds.
pub trait JobState<R>: sealed::JobState<R> {}

impl<S: sealed::JobState<R>, R> JobState<R> for S {}

/// A state of a [`direct::Status`](crate::direct::Status) of a job whose changes are learnt of by `R`, or, with
/// [`InPortal`] as `R`, of a [`portal::Status`](crate::portal::Status).
///
/// Example: none; it is sealed, and only stands in bounds.
pub trait StatusState<R>: sealed::StatusState<R> {}

impl<S: sealed::StatusState<R>, R> StatusState<R> for S {}

/// Whether a client or a job request has a sender of its own: [`HasSender`] or [`NoSender`].
///
/// Example: none; it is sealed, and only stands in bounds.
pub trait SenderChoice: sealed::SenderChoice {}

impl SenderChoice for NoSender {}
impl SenderChoice for HasSender {}

/// What the states know. Out of reach from outside, so that no other state can be made.
pub(crate) mod sealed {
    use std::fmt::Debug;

    use super::{Callback, Polling};
    use crate::client::{HasSender, NoSender};
    use crate::types::{Sender, ServiceUrl};
    use crate::xml::generated as wire;

    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a state of a job",
        label = "the states are `Created`, `Resumed`, `Cancelled` and `Confirmed`, and a job gets there by what happens to it"
    )]
    pub trait JobState<R> {
        /// What is known in this state, and in no other.
        type Known: Debug + Send + Sync;
    }

    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a state that a status can have",
        label = "the states are `InProgress`, `Completed` and `Failed`, and the service says which"
    )]
    pub trait StatusState<R> {
        /// What is known in this state, and in no other.
        type Known: Debug + Send + Sync;
    }

    pub trait Retrieval: Clone + Debug + Send + Sync + 'static {
        /// What a handle calls it.
        const NAME: &'static str;
        /// Where a status can be asked for: a URL, or nowhere.
        type StatusUrl: Clone + Debug + Send + Sync;
        /// What confirms a status that is not final: a URL, or nothing.
        type ChangeConfirmation: Clone + Debug + Send + Sync;

        /// How a request says it. What is the service's default is not said.
        fn wire(&self) -> (Option<wire::StatusRetrievalMethod>, Option<String>);
        /// `None` when the answer lacks what it must have.
        fn status_url(url: Option<ServiceUrl>) -> Option<Self::StatusUrl>;
        fn stored(url: &Self::StatusUrl) -> Option<&ServiceUrl>;
        /// `None` when the answer lacks what it must have.
        fn confirmation(url: Option<ServiceUrl>) -> Option<Self::ChangeConfirmation>;
    }

    impl Retrieval for Callback {
        const NAME: &'static str = "callback";
        type StatusUrl = ServiceUrl;
        type ChangeConfirmation = ();

        fn wire(&self) -> (Option<wire::StatusRetrievalMethod>, Option<String>) {
            (None, None)
        }

        fn status_url(url: Option<ServiceUrl>) -> Option<ServiceUrl> {
            url
        }

        fn stored(url: &ServiceUrl) -> Option<&ServiceUrl> {
            Some(url)
        }

        fn confirmation(_: Option<ServiceUrl>) -> Option<()> {
            Some(())
        }
    }

    impl Retrieval for Polling {
        const NAME: &'static str = "polling";
        type StatusUrl = ();
        type ChangeConfirmation = ServiceUrl;

        fn wire(&self) -> (Option<wire::StatusRetrievalMethod>, Option<String>) {
            (Some(wire::StatusRetrievalMethod::Polling), self.queue.name().map(str::to_owned))
        }

        fn status_url(_: Option<ServiceUrl>) -> Option<()> {
            Some(())
        }

        fn stored(_: &()) -> Option<&ServiceUrl> {
            None
        }

        fn confirmation(url: Option<ServiceUrl>) -> Option<ServiceUrl> {
            url
        }
    }

    pub trait SenderChoice {
        fn chosen(&self) -> Option<&Sender>;
    }

    impl SenderChoice for NoSender {
        fn chosen(&self) -> Option<&Sender> {
            None
        }
    }

    impl SenderChoice for HasSender {
        fn chosen(&self) -> Option<&Sender> {
            Some(&self.0)
        }
    }
}
