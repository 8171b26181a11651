//! Access tokens: fetched where the certificate is shown, kept in memory, and sent with every call.

mod answer;
mod cache;
mod provider;

pub(super) use self::cache::{Token, Tokens};
