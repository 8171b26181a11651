//! The credentials with which a client authenticates.

use crate::flow::Sealed;
use crate::trust::{Environment, HasTokens, TokenEndpoint};
use crate::types::AccessTokens;

/// The default credential of a [`ClientBuilder`](crate::ClientBuilder): the client certificate authenticates the
/// connection.
///
/// Example: see [`ClientBuilder`](crate::ClientBuilder).
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the certificate is that of the identity")]
pub struct ClientCertificate;

/// Implemented by the credentials that an `Environment<T>` accepts: the client certificate in any environment, access
/// tokens in one with a token endpoint. The trait is sealed.
///
/// Example: see [`ClientBuilder`](crate::ClientBuilder).
#[diagnostic::on_unimplemented(
    message = "access tokens need an environment with a token endpoint",
    label = "the environment of this client has no token endpoint",
    note = "`Environment::production()` and `Environment::difi_test()` have one; \
            give another environment one with `with_token_endpoint(..)`"
)]
pub trait Credential<T> {
    #[doc(hidden)]
    fn tokens<'c>(
        &'c self,
        environment: &'c Environment<T>,
        _: Sealed,
    ) -> Option<(&'c AccessTokens, &'c TokenEndpoint)>;
}

impl<T> Credential<T> for ClientCertificate {
    fn tokens<'c>(&'c self, _: &'c Environment<T>, _: Sealed) -> Option<(&'c AccessTokens, &'c TokenEndpoint)> {
        None
    }
}

impl Credential<HasTokens> for AccessTokens {
    fn tokens<'c>(
        &'c self,
        environment: &'c Environment<HasTokens>,
        _: Sealed,
    ) -> Option<(&'c AccessTokens, &'c TokenEndpoint)> {
        Some((self, environment.token_endpoint()))
    }
}
