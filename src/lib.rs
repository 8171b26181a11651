//! draft
#![forbid(unsafe_code)]
mod xml;
