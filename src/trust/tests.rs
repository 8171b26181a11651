//! The built-in lists, compared with the certificates that they were made from.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::authorities::{PRODUCTION, TEST};
use super::authority::{Authority, Facts};
use super::trusted::Trusted;
use super::verifier::ServerVerifier;
use super::{Environment, TrustAnchors};
use crate::certificate::Certificate;
use crate::error::{TlsError, TrustAnchorsError};

/// One line of the table of certificates, and the certificate.
struct Collected {
    is_test: bool,
    is_root: bool,
    name: String,
    issuer: String,
    valid: [Date; 2],
    public_key_sha256: String,
    certificate_sha256: String,
    der: CertificateDer<'static>,
    file: PathBuf,
}

impl Collected {
    /// All of them, if they are here.
    fn all() -> Option<Vec<Self>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/trust");
        let Ok(table) = fs::read_to_string(folder.join("anchors.tsv")) else {
            eprintln!("skipped: needs ../shared/trust");
            return None;
        };
        Some(table.lines().skip(1).map(|line| Self::of(line, &folder)).collect())
    }

    fn of(line: &str, folder: &Path) -> Self {
        let fields: Vec<&str> = line.split('\t').collect();
        let [environment, kind, name, issuer, from, to, key, certificate, file] = fields[..] else { panic!("{line}") };
        let file = folder.join(file);
        let bytes = fs::read(&file).expect("the file of a line");
        let der = match CertificateDer::pem_slice_iter(&bytes).next() {
            Some(pem) => pem.expect("a certificate"),
            None => CertificateDer::from(bytes),
        };
        Self {
            is_test: environment == "test",
            is_root: kind == "root",
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            valid: [from, to].map(|day| day.parse().expect("a date")),
            public_key_sha256: key.to_owned(),
            certificate_sha256: certificate.to_owned(),
            der,
            file,
        }
    }

    /// Whether it had not expired when the lists were made.
    fn is_live(&self) -> bool {
        self.valid[1] > date(2026, 11, 26)
    }

    fn list(&self) -> &'static [Authority] {
        if self.is_test { TEST } else { PRODUCTION }
    }

    fn parsed(&self) -> Certificate {
        Certificate::parse(&self.der).expect("a certificate")
    }
}

#[test]
fn the_lists_are_those_of_the_collected_certificates_that_are_live() {
    let Some(all) = Collected::all() else { return };
    for (is_test, list) in [(false, PRODUCTION), (true, TEST)] {
        let live: Vec<&Collected> = all.iter().filter(|one| one.is_test == is_test && one.is_live()).collect();
        assert_eq!(live.len(), list.len());
        for one in live {
            let authority = list.iter().find(|own| own.has_key(&one.public_key_sha256));
            let authority = authority.unwrap_or_else(|| panic!("{} is not on the list", one.name));
            assert!(authority.name().starts_with(&format!("CN={},", one.name)), "{authority:?}");
            assert_eq!(authority.name(), one.parsed().subject());
            let facts = authority.facts().expect("facts");
            assert_eq!((facts.valid, facts.certificate_sha256), (one.valid, &*one.certificate_sha256), "{authority:?}");
        }
    }
    let expired: Vec<&str> = all.iter().filter(|one| !one.is_live()).map(|one| &*one.name).collect();
    let expected = [
        "CPN Enterprise SHA256 CLASS 3",
        "CPN RootCA SHA256 Class 3",
        "Commfides CPN Enterprise-Norwegian SHA256 CA - TEST2",
        "CPN Root SHA256 CA - TEST",
    ];
    assert_eq!(expired, expected);
    let is_listed = |name: &str| PRODUCTION.iter().chain(TEST).any(|own| own.name().contains(name));
    assert!(!expired.iter().any(|name| is_listed(name)));
}

#[test]
fn every_collected_certificate_is_what_the_table_says() {
    let Some(all) = Collected::all() else { return };
    for one in &all {
        let (certificate, file) = (one.parsed(), one.file.display());
        let sha256 = ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, &one.der);
        let sha256: String = sha256.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sha256, one.certificate_sha256, "{file}");
        assert_eq!(certificate.public_key_sha256(), one.public_key_sha256, "{file}");
        assert_eq!(certificate.common_name(), Some(&*one.name), "{file}");
        let days = [certificate.not_before(), certificate.not_after()];
        assert_eq!(days.map(|at| at.to_string()[..10].to_owned()), one.valid.map(|day| day.to_string()), "{file}");
    }
}

#[test]
fn each_issuing_authority_is_signed_by_its_root() {
    let Some(all) = Collected::all() else { return };
    for one in &all {
        let roots = all.iter().filter(|root| root.is_test == one.is_test && root.is_root && root.name == one.issuer);
        let roots: Vec<&Collected> = roots.collect();
        assert_eq!(roots.len(), 1, "{}", one.name);
        assert!(one.parsed().is_issued_by(&roots[0].parsed()), "{}", one.name);
    }
}

#[test]
fn a_collected_certificate_is_a_trust_anchor_in_its_own_environment_alone() {
    let Some(all) = Collected::all() else { return };
    let now = Timestamp::now();
    for one in all.iter().filter(|one| one.is_live()) {
        let (own, other) = match one.is_test {
            true => (Environment::difi_test(), Environment::production()),
            false => (Environment::production(), Environment::difi_test()),
        };
        let sent = [one.der.clone()];
        assert_eq!(own.trusted.look_at(&sent, &[], now).anchors(), 1, "{}", one.name);
        assert_eq!(other.trusted.look_at(&sent, &[], now).anchors(), 0, "{}", one.name);
        let given = TrustAnchors::from_der(&one.der).expect("a trust anchor");
        let refused = other.clone().trusting(given.clone()).expect_err(&one.name);
        assert!(matches!(&refused, TrustAnchorsError::OtherEnvironment { .. }), "{refused:?}");
        other.without_authorities().trusting(given.clone()).expect_err("not even in place of all others");
        let twice = own.clone().trusting(given).expect("its own");
        assert_eq!(twice.authorities().len(), own.authorities().len(), "once is enough");
        // Expired by the list.
        let later: Timestamp = "2052-01-01T00:00:00Z".parse().expect("a time");
        assert_eq!(own.trusted.look_at(&sent, &[], later).anchors(), 0, "{}", one.name);
    }
    for one in all.iter().filter(|one| !one.is_live()) {
        assert!(!one.list().iter().any(|own| own.has_key(&one.public_key_sha256)), "{}", one.name);
    }
}

/// A leaf for Posten that names this authority as its issuer, and that nobody there has signed.
fn naming(authority: &Authority) -> CertificateDer<'static> {
    let name = |attributes: &[(DnType, &str)]| {
        let mut name = DistinguishedName::new();
        attributes.iter().for_each(|(kind, value)| name.push(kind.clone(), *value));
        name
    };
    let identifier = DnType::CustomDnType(vec![2, 5, 4, 97]);
    let mut issuer = CertificateParams::default();
    let parts = authority.name().split(',').rev().map(|part| match part.split_once('=') {
        Some(("CN", value)) => (DnType::CommonName, value),
        Some(("O", value)) => (DnType::OrganizationName, value),
        Some(("OU", value)) => (DnType::OrganizationalUnitName, value),
        Some(("ST", value)) => (DnType::StateOrProvinceName, value),
        Some(("C", value)) => (DnType::CountryName, value),
        Some(("organizationIdentifier", value)) => (identifier.clone(), value),
        other => panic!("{other:?}"),
    });
    issuer.distinguished_name = name(&parts.collect::<Vec<_>>());
    let mut leaf = CertificateParams::default();
    leaf.distinguished_name = name(&[(identifier, "NTRNO-984661185")]);
    let issuer = Issuer::new(issuer, KeyPair::generate().expect("a key"));
    let key = KeyPair::generate().expect("a key");
    leaf.signed_by(&key, &issuer).expect("a certificate").der().clone()
}

fn verifier(environment: &Environment) -> ServerVerifier {
    ServerVerifier::new(environment.trusted.clone(), &[], environment.server.clone())
}

#[test]
fn a_leaf_alone_names_the_authority_and_where_its_certificate_is() {
    for (environment, list) in [(Environment::production(), PRODUCTION), (Environment::difi_test(), TEST)] {
        for authority in list {
            let error = verifier(&environment).verify(&naming(authority), &[], UnixTime::now()).expect_err("alone");
            let TlsError::MissingAuthority { authority: name, published } = &error else { panic!("{error:?}") };
            assert_eq!(name, authority.name());
            let (published, text) = (published.as_ref().expect("a fingerprint"), error.to_string());
            assert!(text.contains(&published.sha256) && text.contains(name), "{text}");
            let address = authority.facts().expect("facts").address;
            assert_eq!(published.address.as_deref(), address);
            assert!(address.is_none_or(|address| text.contains(address)), "{text}");
        }
    }
    let st =
        PRODUCTION.iter().find(|authority| authority.name().starts_with("CN=Buypass Class 3 CA G2 ST")).expect("it");
    let error = verifier(&Environment::production()).verify(&naming(st), &[], UnixTime::now()).expect_err("alone");
    assert_eq!(
        error.to_string(),
        "the server did not send the certificate of CN=Buypass Class 3 CA G2 ST Business,O=Buypass AS,\
         organizationIdentifier=NTRNO-983163327,C=NO, which is an authority of the environment \
         (published at http://crt.buypassca.com/BPCl3CaG2STBS.cer, SHA-256 fingerprint \
         45:E0:58:31:CD:DA:C1:F2:B9:6D:C8:CA:54:62:08:34:C8:76:49:E9:FF:D3:B2:6D:7D:AD:2A:D0:7F:80:72:32): \
         fetch it and give it with Environment::with_issuers, or put it into the archive of the identity"
    );
}

#[test]
fn a_chain_of_the_other_environment_is_named_as_that() {
    for (environment, foreign) in [(Environment::production(), TEST), (Environment::difi_test(), PRODUCTION)] {
        for authority in foreign {
            let error = verifier(&environment).verify(&naming(authority), &[], UnixTime::now()).expect_err("foreign");
            assert_eq!(error, TlsError::OtherEnvironment { authority: authority.name().to_owned() });
        }
    }
    let Some(all) = Collected::all() else { return };
    for one in all.iter().filter(|one| one.is_live()) {
        let authority = one.list().iter().find(|own| own.has_key(&one.public_key_sha256)).expect("on the list");
        let (own, other) = match one.is_test {
            true => (Environment::difi_test(), Environment::production()),
            false => (Environment::production(), Environment::difi_test()),
        };
        let issuers = TrustAnchors::from_der(&one.der).expect("a certificate");
        for sent in [vec![], vec![one.der.clone()]] {
            let refused = |environment: Environment| {
                let environment = environment.with_issuers(issuers.clone());
                verifier(&environment).verify(&naming(authority), &sent, UnixTime::now()).expect_err("not signed")
            };
            let name = authority.name().to_owned();
            assert_eq!(refused(other.clone()), TlsError::OtherEnvironment { authority: name.clone() });
            // In its own environment, the name is right, and the signature is nobody's.
            assert_eq!(refused(own.clone()), TlsError::AnotherKey { authority: name });
        }
    }
}

/// The owner of an authority's key can give its certificate any dates: the signature of a trust anchor is not checked.
#[test]
fn no_certificate_makes_an_authority_last_longer_than_the_list_says() {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Stand-in");
    params.not_after = rcgen::date_time_ymd(2999, 1, 1);
    let authority = params.self_signed(&key).expect("a certificate").der().clone();
    let fingerprint = Certificate::parse(&authority).expect("a certificate").public_key_sha256();
    let listed = |last: Date| {
        let facts = Facts { valid: [date(2020, 1, 1), last], certificate_sha256: "", address: None };
        Authority::known("CN=Stand-in", fingerprint.clone().leak(), facts)
    };
    let at = |time: &str, last: Date| {
        let trusted = Trusted::list(&[listed(last)], &[]);
        trusted.look_at(&[], std::slice::from_ref(&authority), time.parse().expect("a time")).anchors()
    };
    assert_eq!(at("2030-06-30T23:59:59Z", date(2030, 6, 30)), 1, "its last day");
    assert_eq!(at("2030-07-01T00:00:01Z", date(2030, 6, 30)), 0);
    let trusted = Trusted::list(&[listed(date(2021, 1, 1))], &[]);
    let posten = "984661185".parse().expect("nine digits");
    let issuer = Issuer::new(params, key);
    let mut leaf = CertificateParams::default();
    leaf.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), "NTRNO-984661185");
    let leaf = leaf.signed_by(&KeyPair::generate().expect("a key"), &issuer).expect("a certificate").der().clone();
    let error =
        ServerVerifier::new(trusted, &[], posten).verify(&leaf, std::slice::from_ref(&authority), UnixTime::now());
    let error = error.expect_err("out of date");
    let TlsError::AuthorityOutOfDate { authority, not_after, .. } = &error else { panic!("{error:?}") };
    assert_eq!((authority.as_str(), not_after.to_string().as_str()), ("CN=Stand-in", "2021-01-02T00:00:00Z"));
}
