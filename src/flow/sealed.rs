//! What closes traits.

/// A value that only this crate has: a trait with it in the signature of a method can be implemented nowhere else,
/// because the type cannot be named, and that method can be called nowhere else, because there is no value to pass.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Sealed(pub(crate) ());
