//! The token that seals traits.

/// A token that only this crate can name and construct. A trait with a method that takes it can be implemented only in
/// this crate, and that method can be called only in this crate.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Sealed(pub(crate) ());
