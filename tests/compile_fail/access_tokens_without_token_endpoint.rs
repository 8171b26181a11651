//! Access tokens need an environment with a token endpoint.

use posten_signering::{AccessTokens, Client, Environment, Identity, TrustAnchors};

fn wrong(anchors: TrustAnchors, identity: Identity, tokens: AccessTokens) -> Result<(), posten_signering::Error> {
    let stub = Environment::custom("https://127.0.0.1/api", anchors)?;
    let _ = Client::builder().environment(stub).identity(identity).access_tokens(tokens).build();
    Ok(())
}

fn main() {}
