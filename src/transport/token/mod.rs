//! Access tokens: fetched with the client certificate, kept in memory, and sent with every call.

mod answer;
mod cache;
mod provider;

pub(super) use self::cache::{Token, Tokens};
