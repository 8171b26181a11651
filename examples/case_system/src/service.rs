//! The client of the service, and its renewal while the process runs.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;

use posten_signering::{
    AccessTokens, BrokerId, Client, ClientId, Environment, HasTokens, Identity, TokenEndpoint, TrustAnchors,
};
use tokio::sync::watch;

use crate::pace::SharedPace;
use crate::settings::Settings;
use crate::{Result, report};

/// Builds a client from the credentials as they are now.
///
/// Each client gets the same [`SharedPace`], so that the calls of the old one and the new one are counted together.
fn build(settings: &Settings, pace: &SharedPace) -> Result<Client> {
    let read = |name: &str| -> Result<Option<String>> {
        match std::fs::read_to_string(settings.credentials.join(name)) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{name}: {error}").into()),
        }
    };
    let password = read("password")?.ok_or("the file password is missing in CREDENTIALS")?.into();
    let identity = Identity::from_pkcs12_file(settings.credentials.join("client.p12"), &password)?;
    let sender = settings.sender.clone();
    let name = format!("case-system/{}", std::process::id());
    let builder = Client::builder().identity(identity).sender(sender).user_agent(name).rate_limiter(pace.clone());
    // With access tokens, the environment has a token endpoint. A client without one is of another type.
    let tokens = match (read("client-id")?, read("broker-id")?) {
        (Some(client), Some(broker)) => Some(AccessTokens::new(ClientId::new(&client)?, BrokerId::new(&broker)?)),
        (None, None) => None,
        _ => return Err("client-id and broker-id belong together".into()),
    };
    Ok(match (tokens, settings.environment.as_str()) {
        (None, "production") => builder.environment(Environment::production()).build()?,
        (None, "difitest") => builder.environment(Environment::difi_test()).build()?,
        (None, root) => builder.environment(Environment::custom(root, roots(settings)?)?).build()?,
        (Some(tokens), environment) => {
            let environment = with_tokens(environment, settings)?;
            builder.environment(environment).access_tokens(tokens).build()?
        }
    })
}

fn with_tokens(environment: &str, settings: &Settings) -> Result<Environment<HasTokens>> {
    Ok(match environment {
        "production" => Environment::production(),
        "difitest" => Environment::difi_test(),
        root => {
            let url = settings.token_endpoint.as_deref().ok_or("TOKEN_ENDPOINT is not set")?;
            let mut endpoint = TokenEndpoint::new(url)?;
            if let Some(roots) = &settings.token_roots {
                endpoint = endpoint.with_roots(TrustAnchors::from_pem_file(roots)?);
            }
            Environment::custom(root, roots(settings)?)?.with_token_endpoint(endpoint)
        }
    })
}

fn roots(settings: &Settings) -> Result<TrustAnchors> {
    Ok(TrustAnchors::from_pem_file(settings.roots.as_deref().ok_or("ROOTS is not set")?)?)
}

/// Builds the first client, and starts a task that builds another one when the credentials have changed.
///
/// Users of the receiver take the current client for each call, and [`changed`](watch::Receiver::changed) tells the
/// workers to start anew. A new certificate is used only after the service has accepted it, so a wrong file does no
/// harm while the old certificate lasts.
///
/// # Errors
///
/// An error if the credentials cannot be used.
pub fn connect(settings: &Settings, pace: &SharedPace) -> Result<watch::Receiver<Client>> {
    let mut seen = fingerprint(&settings.credentials);
    let (sender, receiver) = watch::channel(build(settings, pace)?);
    let (settings, pace) = (settings.clone(), pace.clone());
    tokio::spawn(async move {
        while !sender.is_closed() {
            tokio::time::sleep(settings.reload).await;
            let now = fingerprint(&settings.credentials);
            if now == seen {
                continue;
            }
            match renew(&settings, &pace).await {
                Ok(client) => {
                    tracing::info!(valid_until = %client.valid_until(), "the credentials were renewed");
                    sender.send_replace(client);
                    seen = now;
                }
                // Tried again after the next interval: the files may be half written, or the service away.
                Err(error) => report("the new credentials are not used", &*error),
            }
        }
    });
    Ok(receiver)
}

async fn renew(settings: &Settings, pace: &SharedPace) -> Result<Client> {
    let client = build(settings, pace)?;
    client.whoami().await?;
    Ok(client)
}

/// Changes when one of the files does. By their contents: a secret that a cluster mounts may keep its time.
fn fingerprint(credentials: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    for name in ["client.p12", "password", "client-id", "broker-id"] {
        std::fs::read(credentials.join(name)).ok().hash(&mut hasher);
    }
    hasher.finish()
}
