//! The options for the client's identity, the environment and the sender.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use posten_signering::{
    AccessTokens, BrokerId, Client, ClientId, Environment, Error, FileAction, HasSender, Identity, NoTokens,
    OrganizationNumber, Proxy, Sender, Timeouts, TokenEndpoint, TrustAnchors,
};
use secrecy::SecretString;
use secrecy::zeroize::Zeroize;

use super::failure::{Failure, cannot};
use super::output::Output;

/// The environment variable of the archive's password.
const PASSWORD_VARIABLE: &str = "SIGNERING_PASSWORD";

#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// The enterprise certificate with its private key: a PKCS#12 archive (.p12, .pfx). Required, unless --certificate
    /// and --key are set
    #[arg(long, value_name = "FILE", env = "SIGNERING_P12", conflicts_with_all = ["certificate", "key"])]
    p12: Option<PathBuf>,
    /// A file with the password of the archive in its first line. Defaults to `SIGNERING_PASSWORD`, then to a prompt
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The enterprise certificate and its chain, in PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// The private key in PEM, not encrypted
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// production, difitest (the public test environment), difiqa (deprecated), or the URL of another service
    #[arg(long, value_name = "NAME|URL", env = "SIGNERING_ENVIRONMENT")]
    environment: String,
    /// Certificates of authorities to trust in addition to those of the environment: a file, or a directory of files.
    /// Required for a URL, which has no authorities of its own
    #[arg(long, value_name = "PATH", env = "SIGNERING_ROOTS", value_delimiter = ',')]
    roots: Vec<PathBuf>,
    /// Authenticate with access tokens: the ID of the client that is registered for the certificate in Nyva
    #[arg(long, value_name = "UUID", env = "SIGNERING_CLIENT_ID", requires = "broker_id")]
    client_id: Option<ClientId>,
    /// The broker ID that Nyva shows for the client
    #[arg(long, value_name = "NUMBER", env = "SIGNERING_BROKER_ID", requires = "client_id")]
    broker_id: Option<BrokerId>,
    /// The token endpoint. Defaults to that of production or difitest
    #[arg(long, value_name = "URL", env = "SIGNERING_TOKEN_ENDPOINT", requires = "client_id")]
    token_endpoint: Option<String>,
    /// Root certificates for the token endpoint: a file or a directory. Defaults to those of Mozilla
    #[arg(long, value_name = "PATH", env = "SIGNERING_TOKEN_ROOTS", requires = "token_endpoint")]
    token_roots: Option<PathBuf>,
    /// The resource of the access tokens. Defaults to the root URL of the API
    #[arg(long, value_name = "TEXT", env = "SIGNERING_RESOURCE", requires = "client_id")]
    resource: Option<String>,
    /// The organization number of the sender (avsender). Defaults to that of the certificate. A broker sets the
    /// organization for which it acts
    #[arg(long, value_name = "NUMBER", env = "SIGNERING_SENDER")]
    sender: Option<OrganizationNumber>,
    /// An HTTP proxy (CONNECT). Defaults to none
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Write every document package to this directory before it is sent, for debugging
    #[arg(long, value_name = "DIRECTORY")]
    dump_packages: Option<PathBuf>,
    /// The timeout of a call in seconds, between 1 and 3600. Defaults to 5 for the connection and 10 for the answer
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: Option<u64>,
}

impl Connection {
    pub fn client(&self, output: &Output) -> Result<Client<HasSender>, Failure> {
        let identity = self.identity()?;
        Ok(self.client_of(identity, self.environment()?, self.access_tokens()?, output)?)
    }

    /// The access tokens to use, if any, with their endpoint.
    pub fn access_tokens(&self) -> Result<Option<(AccessTokens, TokenEndpoint)>, Failure> {
        let (Some(client_id), Some(broker_id)) = (&self.client_id, &self.broker_id) else { return Ok(None) };
        let mut tokens = AccessTokens::new(client_id.clone(), broker_id.clone());
        if let Some(resource) = &self.resource {
            tokens = tokens.with_resource(resource);
        }
        let mut endpoint = match (&self.token_endpoint, self.environment.as_str()) {
            (Some(url), _) => TokenEndpoint::new(url)?,
            (None, "production") => Environment::production().token_endpoint().clone(),
            (None, "difitest") => Environment::difi_test().token_endpoint().clone(),
            (None, name) => {
                return Err(Failure::Usage(format!("--environment {name} needs --token-endpoint for access tokens")));
            }
        };
        if let Some(path) = &self.token_roots {
            endpoint = endpoint.with_roots(roots(path)?);
        }
        Ok(Some((tokens, endpoint)))
    }

    /// The certificate and its key.
    pub fn identity(&self) -> Result<Identity, Failure> {
        match (&self.p12, &self.certificate, &self.key) {
            (Some(p12), ..) => Ok(Identity::from_pkcs12_file(p12, &self.password()?)?),
            (None, Some(certificate), Some(key)) => Ok(Identity::from_pem_files(certificate, key)?),
            _ => Err(Failure::Usage("--p12, or --certificate and --key, is required".to_owned())),
        }
    }

    pub fn environment(&self) -> Result<Environment<NoTokens>, Failure> {
        let mut anchors: Option<TrustAnchors> = None;
        for path in &self.roots {
            let more = roots(path)?;
            anchors = Some(match anchors {
                Some(anchors) => anchors.and(more),
                None => more,
            });
        }
        let needed = || {
            let name = &self.environment;
            anchors.clone().ok_or_else(|| Failure::Usage(format!("--environment {name} needs --roots")))
        };
        let with_more = |environment: Environment<NoTokens>| match anchors.clone() {
            Some(anchors) => environment.trusting(anchors),
            None => Ok(environment),
        };
        Ok(match self.environment.as_str() {
            "production" => with_more(Environment::production().without_token_endpoint()).map_err(Error::from)?,
            "difitest" => with_more(Environment::difi_test().without_token_endpoint()).map_err(Error::from)?,
            #[expect(deprecated, reason = "until the service's own clients drop it")]
            "difiqa" => with_more(Environment::difi_qa()).map_err(Error::from)?,
            address if address.starts_with("https://") => Environment::custom(address, needed()?)?,
            _ => {
                let message = "--environment is production, difitest, difiqa or an https URL";
                return Err(Failure::Usage(message.to_owned()));
            }
        })
    }

    pub fn client_of(
        &self,
        identity: Identity,
        environment: Environment<NoTokens>,
        tokens: Option<(AccessTokens, TokenEndpoint)>,
        output: &Output,
    ) -> Result<Client<HasSender>, Error> {
        let own = identity.organization_number().cloned();
        let sender = self.sender.clone().or(own).ok_or_else(|| {
            Error::Configuration("the certificate has no organization number: set --sender".to_owned())
        })?;
        let mut builder = Client::builder().identity(identity).sender(Sender::new(sender)).user_agent("signering");
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(Proxy::new(proxy)?);
        }
        if let Some(seconds) = self.timeout {
            let limit = Duration::from_secs(seconds);
            builder = builder.timeouts(Timeouts { connect: limit, answer: limit, ..Timeouts::default() });
        }
        if let Some(directory) = &self.dump_packages {
            builder = builder.dump_packages_to(directory);
        }
        if let Some(tell) = output.progress() {
            builder = builder.on_transfer(tell);
        }
        match tokens {
            None => builder.environment(environment).build(),
            Some((tokens, endpoint)) => {
                builder.environment(environment.with_token_endpoint(endpoint)).access_tokens(tokens).build()
            }
        }
    }

    /// The password of the archive, from a file, the environment or a prompt.
    fn password(&self) -> Result<SecretString, Failure> {
        if let Some(path) = &self.password_file {
            return first_line(path);
        }
        if let Ok(password) = std::env::var(PASSWORD_VARIABLE) {
            return Ok(SecretString::from(password));
        }
        if !std::io::stdin().is_terminal() && !std::io::stderr().is_terminal() {
            let message =
                format!("the archive needs its password: --password-file, {PASSWORD_VARIABLE}, or a terminal");
            return Err(Failure::Usage(message));
        }
        let password = rpassword::prompt_password("Password of the certificate: ");
        password
            .map(SecretString::from)
            .map_err(|error| Failure::Other(format!("the password cannot be read: {error}")))
    }
}

/// Root certificates from a file, PEM or DER, or from a directory of such files.
pub fn roots(path: &Path) -> Result<TrustAnchors, Error> {
    match path.is_dir() {
        true => TrustAnchors::from_directory(path),
        false => TrustAnchors::from_pem_file(path).or_else(|_| TrustAnchors::from_der_file(path)),
    }
}

/// The maximum size of a file with a password, in bytes.
const MAX_PASSWORD_FILE: usize = 64 * 1024;

fn first_line(path: &Path) -> Result<SecretString, Failure> {
    // The capacity is sufficient from the start: a string that grows leaves copies of the password in memory.
    let mut text = String::with_capacity(MAX_PASSWORD_FILE + 1);
    let read = File::open(path).and_then(|file| file.take(MAX_PASSWORD_FILE as u64).read_to_string(&mut text));
    read.map_err(cannot(FileAction::Read, path))?;
    if text.len() == MAX_PASSWORD_FILE {
        let reason = io::Error::new(io::ErrorKind::FileTooLarge, "it is too long for a password");
        return Err(cannot(FileAction::Read, path)(reason).into());
    }
    let line = SecretString::from(text.lines().next().unwrap_or_default());
    text.zeroize();
    Ok(line)
}
