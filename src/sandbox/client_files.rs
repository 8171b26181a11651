//! The files that a client in another process needs.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use super::error::SandboxError;
use super::running::Sandbox;

/// Not a secret: no other service accepts the certificate.
const PASSWORD: &str = "sandbox";

impl Sandbox {
    /// Writes the files that a client in another process needs to an existing directory. Returns the text of `README`.
    ///
    /// | file | contents |
    /// |---|---|
    /// | `client.p12` | the client's certificate and key (PKCS#12, password `sandbox`) |
    /// | `roots.pem` | the root certificate of the API, also alone in the directory `roots` |
    /// | `seal-roots.pem` | the root certificate of the seals, also alone in the directory `seal-roots` |
    /// | `web-roots.pem` | the root certificate of the token endpoint |
    /// | `README` | how to use them with curl, this crate, `signering` and the official clients |
    ///
    /// On Unix, only the user who runs the sandbox can read the files.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] if a file cannot be created or written.
    pub fn write_client_files(&self, directory: impl AsRef<Path>) -> Result<String, SandboxError> {
        let directory = directory.as_ref();
        let readme = readme(self, directory);
        let (root, seal) = (self.root_pem().into_bytes(), self.seal_root_pem().into_bytes());
        for folder in ["roots", "seal-roots"] {
            let failed = |error: io::Error| SandboxError::Store(format!("{folder}: {error}"));
            std::fs::create_dir_all(directory.join(folder)).map_err(failed)?;
        }
        let files = [
            ("client.p12", self.pkcs12(&PASSWORD.into())?),
            ("roots.pem", root.clone()),
            ("roots/root.pem", root),
            ("seal-roots.pem", seal.clone()),
            ("seal-roots/root.pem", seal),
            ("web-roots.pem", self.web_root_pem().as_bytes().to_vec()),
            ("README", readme.clone().into_bytes()),
        ];
        for (name, content) in files {
            let failed = |error: io::Error| SandboxError::Store(format!("{name}: {error}"));
            // Written beside its place and renamed, so that a reader never sees half a file, even if this process is
            // killed. Not in the folders, which contain one file each at any time.
            let part = directory.join(format!("{}.part", name.replace('/', "-")));
            write_private(&part, &content).map_err(failed)?;
            std::fs::rename(part, directory.join(name)).map_err(failed)?;
        }
        Ok(readme)
    }
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // A file of an earlier process may be readable by others.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => options.open(path)?.write_all(content),
    }
}

/// The text of `README`.
fn readme(sandbox: &Sandbox, directory: &Path) -> String {
    let (address, web) = (sandbox.address(), sandbox.web_url());
    let client = sandbox.client();
    let organization = client.sender().organization_number();
    let (p12, roots) = (directory.join("client.p12"), directory.join("roots.pem"));
    let (p12, roots) = (p12.display(), roots.display());
    let (folder, seal) = (directory.join("roots"), directory.join("seal-roots.pem"));
    let (folder, seal) = (folder.display(), seal.display());
    let web_roots = directory.join("web-roots.pem");
    let web_roots = web_roots.display();
    let tokens = sandbox.access_tokens();
    let (endpoint, client_id, broker_id) = (sandbox.token_url(), tokens.client_id(), tokens.broker_id());
    let root_name = sandbox.service.authority.root_name();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "A sandbox of Posten signering: it behaves like the real service, and nothing in it is binding.

  API          https://{address}/api
  dashboard    {web}/
  portal       {web}/portal      where signers log in
  inbox        {web}/inbox       the e-mails and SMS that would have been sent to them
  sender       {organization}, with the certificate in {p12} (password: {PASSWORD})
  trust        the server's certificate chains to {roots}
  seals        the seals of signed documents chain to another root, {seal}
  tokens       {endpoint}, with the web certificate's root in {web_roots}
               client ID {client_id}, broker ID {broker_id}

curl

  curl --cert-type P12 --cert {p12}:{PASSWORD} --cacert {roots} https://{address}/api/{organization}

Rust

  Client::builder()
      .environment(Environment::custom(\"https://{address}/api\", TrustAnchors::from_pem_file(\"{roots}\")?)?)
      .identity(Identity::from_pkcs12_file(\"{p12}\", &\"{PASSWORD}\".into())?)
      .sender(Sender::new(\"{organization}\".parse()?))
      .build()?

Access tokens

  A client with an access token presents no certificate to the API.

  TOKEN=$(curl --silent --cert-type P12 --cert {p12}:{PASSWORD} --cacert {web_roots} {endpoint} \\
    --data grant_type=client_credentials --data client_id={client_id} \\
    --data scope=signering:{broker_id} --data resource=https://{address}/api | sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')
  curl --cacert {roots} --header \"Authorization: Bearer $TOKEN\" https://{address}/api/{organization}

  In Rust, give the environment a token endpoint, and the client its IDs:

  .environment(environment.with_token_endpoint(
      TokenEndpoint::new(\"{endpoint}\")?.with_roots(TrustAnchors::from_pem_file(\"{web_roots}\")?)))
  .access_tokens(AccessTokens::new(\"{client_id}\".parse()?, \"{broker_id}\".parse()?))

  signering check --environment https://{address}/api --roots {roots} --p12 {p12} \\
    --client-id {client_id} --broker-id {broker_id} --token-endpoint {endpoint} --token-roots {web_roots}

The official Java client

  Load {p12} as the organization certificate (KeyStoreConfig.fromOrganizationCertificate), and use

  new ServiceEnvironment(\"Sandbox\", URI.create(\"https://{address}/api\"), List.of(\"{folder}\"))

  The directory contains only the root of the server's certificate.

The official .NET client

  Load {p12} as an X509Certificate2, use https://{address}/api as the URL of its environment, and {roots} as
  the environment's only allowed chain certificate. If the client uses the roots of the operating system, install
  {roots} as a trusted root. It is valid for localhost and 127.0.0.1 only, for two years. Remove it afterwards:

  Windows   certutil -user -delstore Root \"{root_name}\"
  Linux     rm /usr/local/share/ca-certificates/sandbox.crt && update-ca-certificates --fresh
  macOS     security delete-certificate -c \"{root_name}\""
    );
    text
}
