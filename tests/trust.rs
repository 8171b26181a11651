//! Trust by name and public key, through real TLS: which chains are accepted, and what is said of the others.
//!
//! The authorities are our own. The environment knows them by name and key alone, as production knows its own.
//!
//! Longer than 400 lines: every kind of chain, with the same stand-in authorities and the same server.

mod support;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use posten_signering::{
    Authority, Client, Environment, Error, Identity, OrganizationNumber, Retry, TlsError, TrustAnchors,
};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose, PublicKeyData, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use secrecy::SecretString;

use self::support::server::{Chain, Server, Subject, answer, explain, leaf};

const POSTEN: Subject<'static> = Subject::OrganizationIdentifier("984661185");

/// An authority with its key.
type Ca = CertifiedIssuer<'static, KeyPair>;

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

/// The same key again.
fn again(ca: &Ca) -> KeyPair {
    KeyPair::try_from(ca.key().serialize_der()).unwrap()
}

fn params(name: &str, years: [i32; 2]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
    params
}

const NOW: [i32; 2] = [2020, 2045];

fn root_with(name: &str, years: [i32; 2], key: KeyPair) -> Ca {
    Ca::self_signed(params(name, years), key).unwrap()
}

fn root(name: &str) -> Ca {
    root_with(name, NOW, key())
}

fn issued_with(name: &str, years: [i32; 2], key: KeyPair, by: &Ca) -> Ca {
    Ca::signed_by(params(name, years), key, by).unwrap()
}

fn issued(name: &str, by: &Ca) -> Ca {
    issued_with(name, NOW, key(), by)
}

/// The authority by its name and key, computed without this crate.
fn pin(ca: &Ca, name: &str) -> Authority {
    let spki = ca.key().subject_public_key_info();
    let hex: Vec<String> = digest(&SHA256, &spki).as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    Authority::new(format!("CN={name}"), &hex.join(":")).unwrap()
}

/// One for all servers and clients: making an RSA key takes long.
fn rsa() -> KeyPair {
    static RSA: LazyLock<String> = LazyLock::new(|| leaf(POSTEN, |_| {}).1.serialize_pem());
    KeyPair::from_pem(&RSA).unwrap()
}

/// A certificate that this authority issues to an organization.
fn issue(organization: &str, by: &Ca) -> Certificate {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), format!("NTRNO-{organization}"));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.signed_by(&rsa(), by).unwrap()
}

/// What a server sends: its certificate from an authority, and these behind it.
fn chain(by: &Ca, behind: &[&Ca]) -> Chain {
    let leaf = issue("984661185", by).der().clone();
    let behind = behind.iter().map(|ca| CertificateDer::clone(ca.der()));
    Chain { certificates: std::iter::once(leaf).chain(behind).collect(), key: rsa() }
}

/// An identity with these certificates in its archive.
fn identity(by: &Ca, archive: &[&Ca]) -> Identity {
    let pem = issue("123456789", by).pem() + &archive.iter().map(|ca| ca.pem()).collect::<String>();
    Identity::from_pem(pem.as_bytes(), &SecretString::from(rsa().serialize_pem())).unwrap()
}

/// Certificates that were given as files.
fn files(certificates: &[&Ca]) -> TrustAnchors {
    let pem: String = certificates.iter().map(|ca| ca.pem()).collect();
    TrustAnchors::from_pem(pem.as_bytes()).unwrap()
}

/// An environment that knows authorities by name and key, and has no certificates.
struct Stand<'p> {
    pins: &'p [Authority],
    issuers: Option<TrustAnchors>,
    identity: Identity,
}

impl<'p> Stand<'p> {
    fn new(pins: &'p [Authority]) -> Self {
        let nobody = root("Nobody");
        Self { pins, issuers: None, identity: identity(&nobody, &[]) }
    }

    fn with_archive(self, identity: Identity) -> Self {
        Self { identity, ..self }
    }

    fn with_issuers(self, certificates: &[&Ca]) -> Self {
        Self { issuers: Some(files(certificates)), ..self }
    }

    /// Asks a server who shows this chain.
    async fn ask(&self, chain: Chain) -> Result<String, Error> {
        let server = Server::start(chain, &[&TLS13, &TLS12], |_, _| answer("200 OK", "", "You are here")).await;
        let any = files(&[&root("Any")]);
        let mut environment = Environment::custom(&format!("https://{}/api", server.address), any)?
            .without_authorities()
            .trusting_authorities(self.pins.iter().cloned())?;
        if let Some(issuers) = &self.issuers {
            environment = environment.with_issuers(issuers.clone());
        }
        let client = Client::builder()
            .environment(environment)
            .identity(self.identity.clone())
            .sender("123456789".parse::<OrganizationNumber>().unwrap())
            .retry(Retry::OFF)
            .without_rate_limiter()
            .build()?;
        client.whoami().await
    }

    async fn accepts(&self, chain: Chain) {
        let said = self.ask(chain).await;
        assert_eq!(said.unwrap_or_else(|error| panic!("{}", explain(&error))), "You are here");
    }

    async fn refuses(&self, chain: Chain) -> TlsError {
        match self.ask(chain).await {
            Err(Error::Tls(error)) => error,
            other => panic!("{other:?}"),
        }
    }
}

fn missing(name: &str) -> TlsError {
    TlsError::MissingAuthority { authority: format!("CN={name}"), published: None }
}

fn another_key(name: &str) -> TlsError {
    TlsError::AnotherKey { authority: format!("CN={name}") }
}

#[tokio::test]
async fn a_chain_to_a_root_or_an_issuing_authority_on_the_list_is_accepted() {
    let root = root("Root");
    let issuing = issued("Issuing", &root);
    let (root_pin, issuing_pin) = (pin(&root, "Root"), pin(&issuing, "Issuing"));
    let both = [root_pin.clone(), issuing_pin.clone()];
    // Leaf and issuing authority.
    Stand::new(&both).accepts(chain(&issuing, &[&issuing])).await;
    Stand::new(&[issuing_pin]).accepts(chain(&issuing, &[&issuing])).await;
    // Leaf, issuing authority and root.
    Stand::new(&both).accepts(chain(&issuing, &[&issuing, &root])).await;
    Stand::new(&[root_pin]).accepts(chain(&issuing, &[&issuing, &root])).await;
    // In any order, and more than once.
    Stand::new(&both).accepts(chain(&issuing, &[&root, &issuing, &issuing, &root])).await;
}

#[tokio::test]
async fn a_leaf_alone_is_accepted_where_the_client_has_the_certificate_of_its_authority() {
    let root = root("Root");
    let issuing = issued("Issuing", &root);
    let pins = [pin(&root, "Root"), pin(&issuing, "Issuing")];
    // In the archive of its own identity, or given as a file.
    let ours = identity(&issuing, &[&issuing, &root]);
    Stand::new(&pins).with_archive(ours.clone()).accepts(chain(&issuing, &[])).await;
    Stand::new(&pins).with_issuers(&[&issuing]).accepts(chain(&issuing, &[])).await;
    // The root alone is on the list: the archive has what is between.
    let pins = &pins[..1];
    Stand::new(pins).with_archive(ours).accepts(chain(&issuing, &[])).await;
    Stand::new(pins).with_issuers(&[&root]).accepts(chain(&issuing, &[&issuing])).await;
    // It does not: the authority that is missing is named.
    assert_eq!(Stand::new(pins).refuses(chain(&issuing, &[&issuing])).await, missing("Root"));
}

#[tokio::test]
async fn a_leaf_alone_names_the_authority_whose_certificate_nobody_has() {
    let root = root("Root");
    let issuing = issued("Issuing", &root);
    let pins = [pin(&root, "Root"), pin(&issuing, "Issuing")];
    let error = Stand::new(&pins).refuses(chain(&issuing, &[])).await;
    assert_eq!(error, missing("Issuing"));
    let expected = "the server did not send the certificate of CN=Issuing, which is an authority of the environment: \
                    fetch it and give it with Environment::with_issuers, or put it into the archive of the identity";
    assert_eq!(error.to_string(), expected);
    // An issuer that is on no list.
    let error = Stand::new(&pins[..1]).refuses(chain(&issuing, &[])).await;
    assert_eq!(error, TlsError::MissingIntermediate { issuer: "CN=Issuing".to_owned() });
}

#[tokio::test]
async fn an_authority_is_the_same_when_its_certificate_is_signed_again() {
    let first = root("Root");
    let pins = [pin(&first, "Root")];
    // Signed again with the same key and other dates; and the issuing authority is older than its root.
    let second = root_with("Root", [2024, 2050], again(&first));
    let issuing = issued_with("Issuing", [2019, 2040], key(), &first);
    Stand::new(&pins).accepts(chain(&issuing, &[&issuing, &second])).await;
    // The expired one beside it does no harm.
    let expired = root_with("Root", [2010, 2020], again(&first));
    Stand::new(&pins).accepts(chain(&issuing, &[&issuing, &expired, &second])).await;
    Stand::new(&pins).with_issuers(&[&second]).accepts(chain(&issuing, &[&issuing, &expired])).await;
    // The issuing authority's own root has expired: nobody asks for it.
    let pins = [pin(&issuing, "Issuing")];
    Stand::new(&pins).accepts(chain(&issuing, &[&issuing, &expired])).await;
}

#[tokio::test]
async fn what_a_server_sends_makes_no_given_certificate_last_longer() {
    let ended = root_with("Root", [2010, 2020], key());
    let renewed = root_with("Root", NOW, again(&ended));
    let issuing = issued("Issuing", &ended);
    for (given, is_accepted) in [(&[&ended][..], false), (&[&ended, &renewed], true)] {
        let chain = chain(&issuing, &[&issuing, &renewed]);
        let server = Server::start(chain, &[&TLS13, &TLS12], |_, _| answer("200 OK", "", "You are here")).await;
        let environment = Environment::custom(&format!("https://{}/api", server.address), files(given)).unwrap();
        let client = Client::builder()
            .environment(environment)
            .identity(identity(&root("Nobody"), &[]))
            .sender("123456789".parse::<OrganizationNumber>().unwrap())
            .build()
            .unwrap();
        match client.whoami().await {
            Ok(_) if is_accepted => {}
            Err(Error::Tls(TlsError::AuthorityOutOfDate { .. })) if !is_accepted => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_authority_out_of_its_time_is_refused_by_name() {
    let root = root_with("Root", [2010, 2020], key());
    let issuing = issued_with("Issuing", [2010, 2020], key(), &root);
    let text = "the certificate of CN=Issuing, which issued the server's, is valid from 2010-01-01T00:00:00Z to \
                2020-01-01T00:00:00Z only, or this machine's clock is wrong";
    let pins = [pin(&root, "Root"), pin(&issuing, "Issuing")];
    for pins in [&pins[..], &pins[1..]] {
        let error = Stand::new(pins).refuses(chain(&issuing, &[&issuing, &root])).await;
        assert_eq!(error.to_string(), text);
    }
    let live = issued("Live", &root);
    let error = Stand::new(&pins).refuses(chain(&live, &[&live, &root])).await;
    assert!(matches!(&error, TlsError::AuthorityOutOfDate { authority, .. } if authority == "CN=Root"), "{error:?}");
    // Given by the user: not trusted for that.
    let error = Stand::new(&pins).with_issuers(&[&root]).refuses(chain(&live, &[&live])).await;
    assert!(matches!(&error, TlsError::AuthorityOutOfDate { authority, .. } if authority == "CN=Root"), "{error:?}");
    let future = root_with("Future", [2999, 3000], key());
    let error = Stand::new(&[pin(&future, "Future")]).refuses(chain(&future, &[&future])).await;
    assert!(matches!(&error, TlsError::AuthorityOutOfDate { authority, .. } if authority == "CN=Future"), "{error:?}");
    // An issuer between, that is on no list.
    let good = self::root("Good");
    let between = issued_with("Between", [2010, 2020], key(), &good);
    let error = Stand::new(&[pin(&good, "Good")]).refuses(chain(&between, &[&between, &good])).await;
    assert!(matches!(&error, TlsError::AuthorityOutOfDate { authority, .. } if authority == "CN=Between"), "{error:?}");
}

#[tokio::test]
async fn the_name_of_an_authority_on_another_key_is_refused() {
    let root = root("Root");
    let issuing = issued("Issuing", &root);
    let pins = [pin(&root, "Root"), pin(&issuing, "Issuing")];
    let stand = Stand::new(&pins);
    // A root of the same name.
    let false_root = self::root("Root");
    let below = issued("Below", &false_root);
    assert_eq!(stand.refuses(chain(&below, &[&below, &false_root])).await, another_key("Root"));
    // Beside the true one, too.
    assert_eq!(stand.refuses(chain(&below, &[&below, &false_root, &root])).await, another_key("Root"));
    // In the middle of a chain that a good root has signed.
    let false_issuing = issued("Issuing", &root);
    assert_eq!(stand.refuses(chain(&false_issuing, &[&false_issuing, &root])).await, another_key("Issuing"));
    let stand = Stand::new(&pins).with_issuers(&[&issuing, &root, &false_issuing]);
    assert_eq!(stand.refuses(chain(&false_issuing, &[&false_issuing, &root])).await, another_key("Issuing"));
    assert_eq!(stand.refuses(chain(&false_issuing, &[])).await, another_key("Issuing"));
    // It keeps nobody else from being accepted.
    stand.accepts(chain(&issuing, &[&false_issuing, &issuing, &false_root])).await;
}

#[tokio::test]
async fn the_key_of_an_authority_under_another_name_is_no_trust_anchor() {
    let root = root("Root");
    let renamed = root_with("Renamed", NOW, again(&root));
    let stand = [pin(&root, "Root")];
    let untrusted = TlsError::UntrustedRoot { root: "CN=Renamed".to_owned() };
    assert_eq!(Stand::new(&stand).refuses(chain(&renamed, &[&renamed])).await, untrusted);
    let below = issued("Below", &renamed);
    assert_eq!(Stand::new(&stand).refuses(chain(&below, &[&below, &renamed])).await, untrusted);
    // Where the authority itself has signed that name, it is as good as any that it has signed.
    let signed = issued_with("Renamed", NOW, again(&root), &root);
    Stand::new(&stand).accepts(chain(&signed, &[&signed, &root])).await;
}

#[tokio::test]
async fn a_certificate_that_was_only_given_is_no_trust_anchor() {
    let (root, other) = (root("Root"), root("Other"));
    let issuing = issued("Issuing", &other);
    let pins = [pin(&root, "Root")];
    let untrusted = TlsError::UntrustedRoot { root: "CN=Other".to_owned() };
    // A chain of test in production, as far as names and keys go.
    assert_eq!(Stand::new(&pins).refuses(chain(&issuing, &[&issuing, &other])).await, untrusted);
    let stand = Stand::new(&pins).with_issuers(&[&other, &issuing]);
    assert_eq!(stand.refuses(chain(&issuing, &[&issuing, &other])).await, untrusted);
    let stand = Stand::new(&pins).with_archive(identity(&issuing, &[&issuing, &other]));
    assert_eq!(stand.refuses(chain(&issuing, &[])).await, untrusted);
    // On no list at all.
    assert_eq!(Stand::new(&[]).refuses(chain(&issuing, &[&issuing, &other])).await, untrusted);
}

#[tokio::test]
async fn a_chain_to_an_authority_on_the_list_needs_the_right_organization_too() {
    let root = root("Root");
    let certificates = vec![issue("974760673", &root).der().clone(), CertificateDer::clone(root.der())];
    let error = Stand::new(&[pin(&root, "Root")]).refuses(Chain { certificates, key: rsa() }).await;
    assert!(matches!(error, TlsError::WrongOrganization { .. }), "{error:?}");
}

#[tokio::test]
async fn an_authority_is_no_server() {
    let root = root("Root");
    let named = |name: &str, by: Option<&Ca>| {
        let mut params = params(name, NOW);
        params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), "NTRNO-984661185");
        match by {
            Some(by) => Ca::signed_by(params, key(), by).unwrap(),
            None => Ca::self_signed(params, key()).unwrap(),
        }
    };
    let name = "organizationIdentifier=NTRNO-984661185,CN=Issuing";
    let (issuing, alone) = (named("Issuing", Some(&root)), named("Issuing", None));
    let pinned = |ca: &Ca| {
        let key = pin(ca, "").public_key_sha256().to_owned();
        [pin(&root, "Root"), Authority::new(name, &key).unwrap()]
    };
    let show = |ca: &Ca, behind: &[&Ca]| {
        let own = CertificateDer::clone(ca.der());
        let behind = behind.iter().map(|ca| CertificateDer::clone(ca.der()));
        Chain { certificates: std::iter::once(own).chain(behind).collect(), key: again(ca) }
    };
    let error = Stand::new(&pinned(&issuing)).refuses(show(&issuing, &[&issuing, &root])).await;
    assert_eq!(error, TlsError::BadCertificate);
    let error = Stand::new(&pinned(&alone)).refuses(show(&alone, &[&alone])).await;
    assert_eq!(error, TlsError::SelfSigned);
}

/// A certificate as Digipost issues them: under its root, without organization number.
#[tokio::test]
async fn a_certificate_without_organization_number_is_an_identity() {
    let digipost = root("Digipost stand-in");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Kommunen");
    params.distinguished_name.push(DnType::CommonName, "signering-client");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let own = params.signed_by(&rsa(), &digipost).unwrap();
    let key = SecretString::from(rsa().serialize_pem());
    for pem in [own.pem(), own.pem() + &digipost.pem()] {
        let identity = Identity::from_pem(pem.as_bytes(), &key).unwrap();
        assert_eq!(identity.organization_number(), None);
        assert_eq!(identity.subject(), "CN=signering-client,O=Kommunen");
        let server = root("Root");
        let pins = [pin(&server, "Root"), pin(&digipost, "Digipost stand-in")];
        Stand::new(&pins).with_archive(identity.clone()).accepts(chain(&server, &[&server])).await;
        let environment = Environment::custom("https://stub.example/api", files(&[&digipost])).unwrap();
        assert_eq!(environment.suits(&identity), Ok(()));
    }
}

/// Authorities that vouch for each other in circles.
fn circle(members: usize, name: impl Fn(usize) -> String) -> Vec<Ca> {
    let first: Vec<Ca> = (0..members).map(|at| root(&name(at))).collect();
    (0..members).map(|at| issued_with(&name(at), NOW, again(&first[at]), &first[(at + 1) % members])).collect()
}

#[tokio::test]
async fn a_hostile_chain_is_refused_in_bounded_time() {
    let good = root("Root");
    let pins = [pin(&good, "Root")];
    let stand = Stand::new(&pins);
    let timed = async |what: &str, chain: Chain| {
        let start = Instant::now();
        let error = stand.refuses(chain).await;
        assert!(start.elapsed() < Duration::from_secs(3), "{what}: {:?}", start.elapsed());
        error
    };
    let crowd: Vec<Ca> = (0..99).map(|at| root(&format!("Member {at}"))).collect();
    let error = timed("100 certificates", chain(&good, &crowd.iter().collect::<Vec<_>>())).await;
    assert_eq!(error, TlsError::TooManyCertificates { sent: 99, most: 16 });
    assert_eq!(error.to_string(), "the server sent 99 certificates besides its own, at most 16 are read");

    // Circles, of different names and of one name.
    let circles = [circle(16, |at| format!("Member {at}")), circle(16, |_| "Member".to_owned())];
    for circle in &circles {
        let error = timed("a circle", chain(&circle[0], &circle.iter().collect::<Vec<_>>())).await;
        assert!(matches!(error, TlsError::UntrustedRoot { .. }), "{error:?}");
    }
    // Each of one name signed by each other: all ways through them are tried until it is enough.
    let members: Vec<Ca> = (0..4).map(|_| root("Member")).collect();
    let pairs = (0..4).flat_map(|of| (0..4).map(move |by| (of, by)));
    let web: Vec<Ca> = pairs.map(|(of, by)| issued_with("Member", NOW, again(&members[of]), &members[by])).collect();
    let error = timed("a web", chain(&web[0], &web.iter().collect::<Vec<_>>())).await;
    assert_eq!(error, TlsError::UntrustedRoot { root: "CN=Member".to_owned() });
    // As long as a chain may be, and longer.
    let mut line = vec![issued("Member 0", &good)];
    for at in 1..16 {
        let next = issued(&format!("Member {at}"), &line[at - 1]);
        line.push(next);
    }
    let error = timed("a long line", chain(&line[15], &line.iter().collect::<Vec<_>>())).await;
    assert_eq!(error, missing("Root"));
    let through: Vec<&Ca> = line[1..].iter().chain([&good]).collect();
    let error = timed("a long line to the root", chain(&line[15], &through)).await;
    assert_eq!(error, TlsError::UntrustedRoot { root: "CN=Member 0".to_owned() }, "the first is not sent");
    let through: Vec<&Ca> = line[..15].iter().chain([&good]).collect();
    let error = timed("a longer line than any chain", chain(&line[14], &through)).await;
    assert_eq!(error, TlsError::BadCertificate);
}

#[tokio::test]
async fn large_and_broken_certificates_in_a_chain_are_named_or_passed_over() {
    let root = root("Root");
    let pins = [pin(&root, "Root")];
    let large = |bytes: usize| {
        let mut params = params("Large", NOW);
        params.serial_number = Some(SerialNumber::from(vec![0x7f; bytes]));
        Ca::signed_by(params, key(), &root).unwrap()
    };
    let of_60_kilobytes = large(60_000);
    let error = Stand::new(&pins).refuses(chain(&of_60_kilobytes, &[&of_60_kilobytes, &root])).await;
    assert_eq!(error, TlsError::TooLarge { what: "serial number", bytes: 60_000, most: 512 });
    // More than a message of TLS holds.
    let of_70_kilobytes = large(70_000);
    let error = Stand::new(&pins).ask(chain(&of_70_kilobytes, &[&of_70_kilobytes, &root])).await.unwrap_err();
    assert!(matches!(error, Error::Tls(_) | Error::Connect(_)), "{error:?}");

    let mut odd = chain(&root, &[]);
    odd.certificates.push(CertificateDer::from(b"not a certificate".to_vec()));
    assert_eq!(Stand::new(&pins).refuses(odd).await, TlsError::BadCertificate);
    // Beside a good chain, it does no harm.
    let mut odd = chain(&root, &[&root]);
    odd.certificates.push(CertificateDer::from(b"not a certificate".to_vec()));
    Stand::new(&pins).accepts(odd).await;
}

#[test]
fn the_service_s_environments_need_no_argument_and_keep_test_and_production_apart() {
    let names = |environment: &Environment| -> Vec<String> {
        environment.authorities().iter().map(|authority| authority.name().to_owned()).collect()
    };
    let (production, test) = (Environment::production(), Environment::difi_test());
    let (productions, tests) = (names(&production), names(&test));
    assert_eq!((productions.len(), tests.len()), (9, 9));
    assert!(productions.iter().any(|name| name.starts_with("CN=Buypass Class 3 Root CA G2 ST,")), "{productions:?}");
    for name in &tests {
        assert!(name.to_lowercase().contains("test") && !productions.contains(name), "{name}");
    }
    // By name and key: in no other environment, not even in place of its own.
    for (environment, foreign) in [(&production, &test), (&test, &production)] {
        for authority in foreign.authorities() {
            let emptied = environment.clone().without_authorities();
            for environment in [environment.clone(), emptied] {
                let error = environment.trusting_authorities([authority.clone()]).unwrap_err();
                assert!(error.to_string().starts_with(authority.name()), "{error}");
            }
        }
    }
    let replaced = production.without_authorities().trusting(files(&[&root("Root")])).unwrap();
    assert_eq!(names(&replaced), ["CN=Root"]);
}

#[test]
fn the_first_example_of_the_readme_gives_no_trust_anchor() {
    let readme = include_str!("../README.md");
    let example = readme.split("```").find(|block| block.contains("Client::builder()")).unwrap();
    assert!(example.contains("Environment::difi_test()") && !example.contains("TrustAnchors"), "{example}");
}

#[test]
fn a_fingerprint_is_32_bytes_in_hexadecimal() {
    let plain = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let colons: Vec<String> =
        plain.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
    for good in [plain.to_owned(), colons.join(":")] {
        let authority = Authority::new("CN=Root", &good).unwrap();
        assert_eq!((authority.name(), authority.public_key_sha256()), ("CN=Root", plain));
    }
    for bad in ["", "00", &plain[1..], &format!("{plain}0"), &plain.replace('a', "g"), &plain.replace("aa", "æ")] {
        Authority::new("CN=Root", bad).expect_err(bad);
    }
}

#[test]
fn a_built_in_authority_has_an_end_and_one_by_fingerprint_has_none() {
    for environment in [Environment::production(), Environment::difi_test()] {
        for authority in environment.authorities() {
            assert!(authority.valid_until().is_some(), "{authority:?}");
        }
    }
    let fingerprint = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    assert_eq!(Authority::new("CN=Root", fingerprint).unwrap().valid_until(), None);
}
