//! Identities and trust anchors, good and bad: certificates, chains and names.

mod support;

use std::fs;
use std::path::Path;

use posten_signering::{Environment, Error, Identity, IdentityError, TrustAnchors, TrustAnchorsError};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use secrecy::SecretString;

use self::support::server::{Authority, Chain, Subject};

fn rsa() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
}

/// A certificate for a key, PEM.
fn certificate(key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Virksomhet AS - 123456789");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    change(&mut params);
    params.self_signed(key).unwrap().pem()
}

fn from_pem(certificate: &str, key: &KeyPair) -> Result<Identity, IdentityError> {
    Identity::from_pem(certificate.as_bytes(), &SecretString::from(key.serialize_pem()))
}

#[test]
fn a_certificate_and_its_key_are_an_identity() {
    let key = rsa();
    let identity = from_pem(&certificate(&key, |_| {}), &key).unwrap();
    assert_eq!(identity.organization_number().map(|number| number.as_str()), Some("123456789"));
    let name = "CN=Virksomhet AS - 123456789";
    assert_eq!((identity.subject(), identity.issuer()), (name, name));
    assert_eq!(identity.valid_from().to_string(), "1975-01-01T00:00:00Z");
    assert_eq!(identity.valid_until().to_string(), "4096-01-01T00:00:00Z");
    let shown = format!("{identity:?}");
    assert_eq!(shown, "Identity { organization_number: Some(OrganizationNumber(\"123456789\")), chain: 1, .. }");
}

#[test]
fn the_certificate_of_the_key_is_found_among_others() {
    let (key, other) = (rsa(), rsa());
    let both = format!("{}{}", certificate(&other, |_| {}), certificate(&key, |_| {}));
    from_pem(&both, &key).unwrap();
}

#[test]
fn each_mistake_has_its_error() {
    let key = rsa();
    let good = certificate(&key, |_| {});
    let error = |certificate: &str| from_pem(certificate, &key).unwrap_err();

    assert_eq!(error(""), IdentityError::MissingCertificate);
    assert_eq!(error(&certificate(&rsa(), |_| {})), IdentityError::MissingCertificate, "another key's");
    let no_key = Identity::from_pem(good.as_bytes(), &SecretString::from(good.clone())).unwrap_err();
    assert_eq!(no_key, IdentityError::MissingKey);

    let expired = error(&certificate(&key, |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }));
    assert_eq!(expired.to_string(), "the certificate expired at 2021-01-01T00:00:00Z");
    let future = error(&certificate(&key, |params| params.not_before = date_time_ymd(2999, 1, 1)));
    assert_eq!(future.to_string(), "the certificate is not valid before 2999-01-01T00:00:00Z");
    let wrong_usage = certificate(&key, |params| params.key_usages = vec![KeyUsagePurpose::ContentCommitment]);
    assert_eq!(error(&wrong_usage), IdentityError::NotForDigitalSignature { key_usage: "nonRepudiation".to_owned() });
    from_pem(&certificate(&key, |params| params.key_usages = vec![]), &key).expect("no key usage is every usage");

    let elliptic = KeyPair::generate().unwrap();
    let error = from_pem(&certificate(&elliptic, |_| {}), &elliptic).unwrap_err();
    assert_eq!(error, IdentityError::NotRsa);

    let garbage = Identity::from_pkcs12(b"not an archive", &SecretString::from("x")).unwrap_err();
    assert_eq!(garbage, IdentityError::NotPkcs12);
    let file = Identity::from_pkcs12_file("/nowhere/virksomhet.p12", &SecretString::from("x")).unwrap_err();
    assert!(matches!(&file, Error::File { path, .. } if path == Path::new("/nowhere/virksomhet.p12")), "{file:?}");
}

#[test]
fn trust_anchors_come_from_pem_der_files_and_directories() {
    let root = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap()
    };
    let (one, two) = (root("one"), root("two"));
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    fs::write(file("one.pem"), one.pem() + &two.pem()).unwrap();
    fs::write(file("two.cer"), two.der()).unwrap();
    fs::write(file("README.txt"), "not a certificate").unwrap();

    let count = |anchors: TrustAnchors| format!("{anchors:?}");
    assert_eq!(count(TrustAnchors::from_pem_file(file("one.pem")).unwrap()), "TrustAnchors(2)");
    assert_eq!(count(TrustAnchors::from_der_file(file("two.cer")).unwrap()), "TrustAnchors(1)");
    assert_eq!(count(TrustAnchors::from_directory(directory.path()).unwrap()), "TrustAnchors(3)");
    let both = TrustAnchors::from_pem(one.pem().as_bytes()).unwrap().and(TrustAnchors::from_der(two.der()).unwrap());
    assert_eq!(count(both), "TrustAnchors(2)");

    assert_eq!(TrustAnchors::from_pem(b"").unwrap_err(), TrustAnchorsError::Empty);
    assert_eq!(TrustAnchors::from_der(b"x").unwrap_err(), TrustAnchorsError::NotCertificate);
    fs::write(file("broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let error = TrustAnchors::from_directory(directory.path()).unwrap_err();
    assert!(matches!(error, Error::TrustAnchors(TrustAnchorsError::NotCertificate)), "{error:?}");
    let error = TrustAnchors::from_directory(file("nowhere")).unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error:?}");
}

#[test]
fn environments_have_their_addresses_and_production_has_its_root() {
    let anchors = || {
        let certificate = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
        TrustAnchors::from_der(certificate.der()).unwrap()
    };
    let production = Environment::production();
    assert_eq!(production.root().as_str(), "https://api.signering.posten.no/api");
    assert!(format!("{production:?}").contains("TrustAnchors(1)"), "{production:?}");
    assert!(format!("{:?}", production.trusting(anchors())).contains("TrustAnchors(2)"));
    let test = Environment::difi_test(anchors());
    assert_eq!(test.root().as_str(), "https://api.difitest.signering.posten.no/api");
    let qa = Environment::difi_qa(anchors());
    assert_eq!(qa.root().as_str(), "https://api.difiqa.signering.posten.no/api");
    for bad in ["http://stub.example/api", "https://stub.example/api?x=1", "https://u:p@stub.example/", "stub.example"]
    {
        let error = Environment::custom(bad, anchors()).unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{bad}");
    }
}

#[test]
fn an_identity_suits_the_environment_of_its_authority() {
    let (ours, other) = (Authority::new("Ours"), Authority::new("Other"));
    let environment = |anchors| Environment::custom("https://stub.example/api", anchors).unwrap();
    let pem = |chain: &Chain, certificates| from_pem(&chain.pem(certificates), &chain.key).unwrap();
    let chain = ours.chain(Subject::OrganizationIdentifier("123456789"), |params| {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    });
    assert_eq!(environment(ours.anchors()).suits(&pem(&chain, 2)), Ok(()));

    let missing = IdentityError::MissingIntermediate { issuer: "CN=Ours CA".to_owned() };
    assert_eq!(environment(ours.anchors()).suits(&pem(&chain, 1)), Err(missing));
    let missing = IdentityError::MissingIntermediate { issuer: "CN=Ours root".to_owned() };
    assert_eq!(environment(other.anchors()).suits(&pem(&chain, 2)), Err(missing));

    // All there, and self-signed at the end: it ends elsewhere, and nothing is missing.
    let key = rsa();
    let whole = from_pem(&certificate(&key, |_| {}), &key).unwrap();
    let elsewhere = IdentityError::OtherEnvironment { root: "CN=Virksomhet AS - 123456789".to_owned() };
    assert_eq!(environment(other.anchors()).suits(&whole), Err(elsewhere));
}
