//! What a document must keep to before its content is looked at, and the error of one that does not.

/// The namespace of every document of the API.
pub(crate) const NAMESPACE: &str = "http://signering.posten.no/schema/v1";

/// The longest document that is read, in bytes.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// The deepest nesting that is read, in elements.
pub(crate) const MAX_DEPTH: usize = 32;

/// The most elements and attributes that are read together. No document of the API comes near it.
pub(crate) const MAX_NODES: usize = 10_000;

/// Why a document is not one of ours. Names elements and rules, never what a person wrote.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct XmlError(pub(crate) String);
