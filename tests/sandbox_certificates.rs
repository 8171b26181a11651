//! The sandbox's certificates and the files for its clients, as other programs see them.

#[path = "support/tempfile.rs"]
mod tempfile;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use posten_signering::sandbox::{CertificateFlaw, Sandbox};
use posten_signering::{Client, Identity, IdentityError, Sender};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn openssl(arguments: &[&str], directory: &Path) -> (bool, String) {
    let output = Command::new("openssl").args(arguments).current_dir(directory).output().expect("needs openssl");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn the_files_of_a_client_are_private_and_its_directories_of_roots_hold_roots() {
    let sandbox = Sandbox::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    // Written twice, as a sandbox that is started again does; what is there may be readable by others.
    fs::write(directory.path().join("client.p12.part"), "").unwrap();
    for _ in 0..2 {
        let readme = sandbox.write_client_files(directory.path()).unwrap();
        let root_name = readme.lines().find_map(|line| line.split("-c \"").nth(1)).unwrap().trim_end_matches('"');
        assert!(root_name.starts_with("Sandkasse Root CA G2 "), "{readme}");
    }
    let names = |path: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let files = ["README", "client.p12", "roots", "roots.pem", "seal-roots", "seal-roots.pem", "web-roots.pem"];
    assert_eq!(names(directory.path()), files);
    for (folder, pem) in [("roots", sandbox.root_pem()), ("seal-roots", sandbox.seal_root_pem())] {
        assert_eq!(names(&directory.path().join(folder)), ["root.pem"]);
        assert_eq!(fs::read_to_string(directory.path().join(folder).join("root.pem")).unwrap(), pem);
    }
    assert_eq!(fs::read_to_string(directory.path().join("web-roots.pem")).unwrap(), sandbox.web_root_pem());
    #[cfg(unix)]
    for name in [
        "README",
        "client.p12",
        "roots.pem",
        "seal-roots.pem",
        "roots/root.pem",
        "seal-roots/root.pem",
        "web-roots.pem",
    ] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn certificates_with_a_flaw_are_what_they_are_asked_to_be() {
    let sandbox = Sandbox::start().await.unwrap();
    let password = "secret".into();
    let identity = |flaw| Identity::from_pkcs12(&sandbox.flawed_pkcs12(flaw, &password).unwrap(), &password);
    let whoami = async |identity: Identity| {
        let sender = Sender::new("123456789".parse().unwrap());
        let client = Client::builder().environment(sandbox.environment()).identity(identity).sender(sender);
        client.build().unwrap().whoami().await
    };

    let soon = identity(CertificateFlaw::EndsIn(7 * DAY)).unwrap();
    let left = soon.valid_until().duration_since(Timestamp::now()).as_secs();
    assert!((7 * 24 * 3600 - 60..=7 * 24 * 3600).contains(&left), "{left}");
    assert_eq!(soon.organization_number(), sandbox.identity().organization_number());
    assert_eq!(whoami(soon).await.unwrap(), "You are 123456789", "it is still good");

    let error = identity(CertificateFlaw::Expired).unwrap_err();
    assert!(matches!(error, IdentityError::Expired { .. }), "{error:?}");

    let error = identity(CertificateFlaw::WithoutDigitalSignature).unwrap_err();
    assert!(matches!(error, IdentityError::NotForDigitalSignature { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs openssl"]
async fn outside_openssl_sees_the_profile_and_the_limits_of_the_root() {
    let sandbox = Sandbox::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    sandbox.write_client_files(path).unwrap();
    let (made, text) =
        openssl(&["pkcs12", "-in", "client.p12", "-passin", "pass:sandbox", "-nodes", "-out", "all.pem"], path);
    assert!(made, "{text}");
    let (_, leaf) = openssl(&["x509", "-in", "all.pem", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus"], path);
    for expected in [
        "Public-Key: (3072 bit)",
        "Digital Signature, Key Encipherment",
        "C=NO",
        "organizationIdentifier=NTRNO-123456789",
        "CN=Sandkasse CA G2 Business ",
        "organizationIdentifier=NTRNO-000000000",
    ] {
        assert!(leaf.contains(expected), "{expected}: {leaf}");
    }
    let (_, root) = openssl(&["x509", "-in", "roots.pem", "-noout", "-text"], path);
    for expected in ["X509v3 Name Constraints: critical", "DNS:localhost", "IP:127.0.0.1/255.255.255.255"] {
        assert!(root.contains(expected), "{expected}: {root}");
    }
    // Two years from now it is of no use.
    let in_two_years = (2 * 365 * 24 * 3600 + 60).to_string();
    assert!(openssl(&["x509", "-in", "roots.pem", "-noout", "-checkend", "0"], path).0);
    assert!(!openssl(&["x509", "-in", "roots.pem", "-noout", "-checkend", &in_two_years], path).0);
    assert!(!openssl(&["x509", "-in", "seal-roots.pem", "-noout", "-checkend", &in_two_years], path).0);

    // What another program makes of the limits, for an enterprise certificate, which names no host.
    let address = sandbox.address().to_string();
    let connect = |name: &[&str]| {
        let base = [
            "s_client",
            "-cert_chain",
            "all.pem",
            "-connect",
            &address,
            "-CAfile",
            "roots.pem",
            "-cert",
            "all.pem",
            "-key",
            "all.pem",
        ];
        let arguments = [&base, name, &["-verify_return_error", "-brief"]].concat();
        let mut command = Command::new("openssl");
        command.args(arguments).current_dir(path).stdin(std::process::Stdio::null());
        tokio::task::block_in_place(|| command.output().unwrap().status.success())
    };
    assert!(connect(&["-verify_ip", "127.0.0.1"]));
    assert!(connect(&["-verify_hostname", "localhost"]));
    assert!(!connect(&["-verify_hostname", "api.signering.posten.no"]));
    let (verified, text) = openssl(&["verify", "-CAfile", "roots.pem", "-untrusted", "all.pem", "all.pem"], path);
    assert!(verified, "{text}");
}
