//! What a client in another process needs, as files.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::error::SandboxError;
use super::running::Sandbox;

/// Everybody may know it: the certificate is worth nothing elsewhere.
const PASSWORD: &str = "sandbox";

impl Sandbox {
    /// Writes what a client in another process needs to a directory that exists: `client.p12` (password: `sandbox`),
    /// `roots.pem`, and a `README` that tells how to use them with curl, this crate and the official clients. Gives the text of
    /// the `README`.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] when one cannot be made or written.
    pub fn write_client_files(&self, directory: impl AsRef<Path>) -> Result<String, SandboxError> {
        let directory = directory.as_ref();
        let readme = readme(self, directory);
        let files = [
            ("client.p12", self.pkcs12(&PASSWORD.into())?),
            ("roots.pem", self.root_pem().into_bytes()),
            ("README", readme.clone().into_bytes()),
        ];
        for (name, content) in files {
            let failed = |error: io::Error| SandboxError::Store(format!("{name}: {error}"));
            // Somebody may be reading what a process before wrote, or kill this one: the name is always that of a whole file.
            let part = directory.join(format!("{name}.part"));
            std::fs::write(&part, content).map_err(failed)?;
            std::fs::rename(part, directory.join(name)).map_err(failed)?;
        }
        Ok(readme)
    }
}

/// How to use it.
fn readme(sandbox: &Sandbox, directory: &Path) -> String {
    let (address, web) = (sandbox.address(), sandbox.web_url());
    let client = sandbox.client();
    let organization = client.sender().organization_number();
    let (p12, roots) = (directory.join("client.p12"), directory.join("roots.pem"));
    let (p12, roots) = (p12.display(), roots.display());
    let mut text = String::new();
    let _ = writeln!(
        text,
        "A sandbox of Posten signering: it behaves like the real service, and nothing in it is binding.

  API          https://{address}/api
  dashboard    {web}/
  portal       {web}/portal      where signers log in
  inbox        {web}/inbox       what they would have got by e-mail and SMS
  sender       {organization}, with the certificate in {p12} (password: {PASSWORD})
  trust        the server's certificate ends in {roots}

curl

  curl --cert-type P12 --cert {p12}:{PASSWORD} --cacert {roots} https://{address}/api/{organization}

Rust

  Client::builder()
      .environment(Environment::custom(\"https://{address}/api\", TrustAnchors::from_pem_file(\"{roots}\")?)?)
      .identity(Identity::from_pkcs12_file(\"{p12}\", &\"{PASSWORD}\".into())?)
      .sender(Sender::new(\"{organization}\".parse()?))
      .build()?

The official Java client

  Load {p12} as the organization certificate (KeyStoreConfig.fromOrganizationCertificate), use
  new ServiceEnvironment(\"Sandbox\", URI.create(\"https://{address}/api\"), List.of(...)) with {roots}
  as its only certificate.

The official .NET client

  Load {p12} as an X509Certificate2, use https://{address}/api as the URL of its environment, and {roots} as
  the environment's only allowed chain certificate. Install {roots} as a trusted root where the client asks
  the operating system."
    );
    text
}
