//! Limits for documents, and the error type.

/// The namespace of every document of the API.
pub(crate) const NAMESPACE: &str = "http://signering.posten.no/schema/v1";

/// The maximum size of a document, in bytes.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// The maximum nesting depth, in elements.
pub(crate) const MAX_DEPTH: usize = 32;

/// The maximum number of elements and attributes. Documents of the API are far below it.
pub(crate) const MAX_NODES: usize = 10_000;

/// The error of a document that cannot be read or written. It names elements and rules, not values.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct XmlError(pub(crate) String);
