//! Identities and trust anchors, good and bad: certificates, chains and names.

mod support;

use std::fs;
use std::path::Path;

use posten_signering::{Environment, Error, Identity, IdentityError, NoTokens, TrustAnchors, TrustAnchorsError};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, SerialNumber, date_time_ymd,
};
use secrecy::SecretString;

use self::support::server::{Authority, Chain, Subject};
use self::support::tempfile;

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
    assert_eq!(identity.organization_number().map(posten_signering::OrganizationNumber::as_str), Some("123456789"));
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
    // As an editor or a configuration file leaves it.
    let indented = format!("\u{feff}{}", both.replace('\n', "\r\n    "));
    let indented_key = key.serialize_pem().replace('\n', "\n\t");
    Identity::from_pem(indented.as_bytes(), &SecretString::from(indented_key)).unwrap();
}

#[test]
fn of_several_keys_in_pem_the_one_for_digital_signature_is_used() {
    let (sign, authenticate) = (rsa(), rsa());
    let for_signing = certificate(&sign, |params| params.key_usages = vec![KeyUsagePurpose::ContentCommitment]);
    let right = certificate(&authenticate, |params| params.distinguished_name.push(DnType::CountryName, "NO"));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let both = for_signing.clone() + &right;
    let read = |keys: [&str; 2]| Identity::from_pem(both.as_bytes(), &SecretString::from(keys.concat()));
    let (sign, authenticate) = (sign.serialize_pem(), authenticate.serialize_pem());
    for keys in [[&*sign, &authenticate], [&authenticate, &sign], [encrypted, &authenticate]] {
        assert_eq!(read(keys).unwrap().subject(), "C=NO,CN=Virksomhet AS - 123456789");
    }
    assert_eq!(
        read([&sign, encrypted]).unwrap_err(),
        IdentityError::MissingKey,
        "the encrypted one is that of the other"
    );
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
    let named =
        TrustAnchorsError::File { path: file("broken.pem"), reason: Box::new(TrustAnchorsError::NotCertificate) };
    assert!(matches!(&error, Error::TrustAnchors(reason) if *reason == named), "{error:?}");
    let text = error.to_string();
    assert!(text.ends_with("broken.pem: this is not a certificate that can be a trust anchor"), "{text}");
    let error = TrustAnchors::from_directory(file("nowhere")).unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error:?}");
}

#[test]
fn environments_have_their_addresses() {
    let anchors = || {
        let certificate = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
        TrustAnchors::from_der(certificate.der()).unwrap()
    };
    let production = Environment::production();
    assert_eq!(production.root().as_str(), "https://api.signering.posten.no/api");
    let test = Environment::difi_test();
    assert_eq!(test.root().as_str(), "https://api.difitest.signering.posten.no/api");
    #[expect(deprecated, reason = "it is there until it goes")]
    let qa = Environment::difi_qa();
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

    let missing = IdentityError::MissingIntermediate { issuer: "CN=Ours CA".to_owned(), published: None };
    assert_eq!(environment(ours.anchors()).suits(&pem(&chain, 1)), Err(missing));
    let missing = IdentityError::MissingIntermediate { issuer: "CN=Ours root".to_owned(), published: None };
    assert_eq!(environment(other.anchors()).suits(&pem(&chain, 2)), Err(missing));

    // All there, and self-signed at the end: it ends elsewhere, and nothing is missing.
    let key = rsa();
    let whole = from_pem(&certificate(&key, |_| {}), &key).unwrap();
    let elsewhere = IdentityError::OtherEnvironment { root: "CN=Virksomhet AS - 123456789".to_owned() };
    assert_eq!(environment(other.anchors()).suits(&whole), Err(elsewhere));
}

/// An authority.
type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority_params(name: &str, identifier: Option<&[u8]>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.use_authority_key_identifier_extension = true;
    if let Some(identifier) = identifier {
        params.key_identifier_method = KeyIdMethod::PreSpecified(identifier.to_vec());
    }
    params
}

fn root(name: &str) -> Issuer {
    Issuer::self_signed(authority_params(name, None), KeyPair::generate().unwrap()).unwrap()
}

/// An authority of the name that all of them here have.
fn shared_name(root: &Issuer, identifier: Option<&[u8]>) -> Issuer {
    Issuer::signed_by(authority_params("Same CA", identifier), KeyPair::generate().unwrap(), root).unwrap()
}

fn leaf(issuer: &Issuer, key: &KeyPair, has_key_identifier: bool) -> Certificate {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Virksomhet AS - 123456789");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = has_key_identifier;
    params.signed_by(key, issuer).unwrap()
}

fn environment(root: &Issuer) -> Environment<NoTokens> {
    Environment::custom("https://stub.example/api", TrustAnchors::from_der(root.der()).unwrap()).unwrap()
}

#[test]
fn authorities_of_one_name_are_told_apart_by_their_keys() {
    let key = rsa();
    let (right, wrong) = (root("Right root"), root("Wrong root"));
    for (what, identifiers, in_leaf) in [
        ("key identifiers", [None, None], true),
        ("no key identifiers in the leaf", [None, None], false),
        ("one key identifier for both", [Some(b"same".as_slice()), Some(b"same")], true),
    ] {
        let [ours, other] = identifiers;
        let (ours, other) = (shared_name(&right, ours), shared_name(&wrong, other));
        let leaf = leaf(&ours, &key, in_leaf);
        let (ours, other) = (ours.pem(), other.pem());
        for issuers in [[&ours, &other], [&other, &ours]] {
            let pem = [leaf.pem(), issuers[0].clone(), wrong.pem(), issuers[1].clone(), right.pem()].concat();
            let identity = from_pem(&pem, &key).unwrap();
            assert!(format!("{identity:?}").contains("chain: 3"), "{what}: {identity:?}");
            assert_eq!(environment(&right).suits(&identity), Ok(()), "{what}");
            let elsewhere = IdentityError::OtherEnvironment { root: "CN=Right root".to_owned() };
            assert_eq!(environment(&wrong).suits(&identity), Err(elsewhere), "{what}");
        }
        // Better no issuer than the wrong one.
        let identity = from_pem(&(leaf.pem() + &other + &wrong.pem()), &key).unwrap();
        assert!(format!("{identity:?}").contains("chain: 1"), "{what}: {identity:?}");
    }
}

/// The same, but that it says to be signed with an algorithm that nobody knows: beside ecdsa-with-SHA512.
fn of_unknown_algorithm(certificate: &[u8]) -> String {
    let ecdsa_sha256 = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let mut der = certificate.to_vec();
    for at in 0..der.len() - 8 {
        if der[at..at + 8] == *ecdsa_sha256 {
            der[at + 7] = 9;
        }
    }
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

#[test]
fn where_a_signature_cannot_be_checked_key_identifiers_decide() {
    let key = rsa();
    let (right, wrong) = (root("Right root"), root("Wrong root"));
    let (ours, other) = (shared_name(&right, None), shared_name(&wrong, None));
    let leaf = of_unknown_algorithm(leaf(&ours, &key, true).der());
    for issuers in [[&ours, &other], [&other, &ours]] {
        let identity = from_pem(&(leaf.clone() + &issuers.map(rcgen::CertifiedIssuer::pem).concat()), &key).unwrap();
        let missing = IdentityError::MissingIntermediate { issuer: "CN=Right root".to_owned(), published: None };
        assert_eq!(environment(&root("Another root")).suits(&identity), Err(missing));
    }
}

#[test]
fn a_root_of_the_same_name_with_another_key_is_that_of_another_environment() {
    let key = rsa();
    let (test, production) = (root("Same root"), root("Same root"));
    let ours = shared_name(&test, None);
    let identity = from_pem(&(leaf(&ours, &key, true).pem() + &ours.pem()), &key).unwrap();
    assert_eq!(environment(&test).suits(&identity), Ok(()));
    let elsewhere = IdentityError::OtherEnvironment { root: "CN=Same root".to_owned() };
    assert_eq!(environment(&production).suits(&identity), Err(elsewhere));
}

/// A root's new key may be certified by its old one, under the same name. It is trusted when it is on the list.
#[test]
fn a_renewed_key_of_the_same_name_is_in_the_chain_and_trusted_when_it_was_given() {
    let key = rsa();
    let old = root("Same root");
    let renewed = Issuer::signed_by(authority_params("Same root", None), KeyPair::generate().unwrap(), &old).unwrap();
    let leaf = leaf(&renewed, &key, true);
    let identity = from_pem(&[old.pem(), renewed.pem(), leaf.pem()].concat(), &key).unwrap();
    assert!(format!("{identity:?}").contains("chain: 3"), "{identity:?}");
    let elsewhere = IdentityError::OtherEnvironment { root: "CN=Same root".to_owned() };
    assert_eq!(environment(&old).suits(&identity), Err(elsewhere));
    let both = environment(&old).trusting(TrustAnchors::from_der(renewed.der()).unwrap()).unwrap();
    assert_eq!(both.suits(&identity), Ok(()));
}

#[test]
fn of_several_certificates_of_one_issuer_the_one_that_lasts_longest_is_in_the_chain() {
    let (key, root) = (rsa(), root("Root"));
    let ours = shared_name(&root, None);
    let mut params = authority_params("Same CA", None);
    params.not_after = date_time_ymd(2020, 1, 1);
    let expired = params.signed_by(ours.key(), &root).unwrap();
    let leaf = leaf(&ours, &key, true).pem();
    for issuers in [[ours.pem(), expired.pem()], [expired.pem(), ours.pem()]] {
        let identity = from_pem(&(leaf.clone() + &issuers.concat()), &key).unwrap();
        assert_eq!(environment(&root).suits(&identity), Ok(()));
    }
}

#[test]
fn names_are_for_people() {
    let key = rsa();
    let oid = |numbers: &[u64]| DnType::CustomDnType(numbers.to_vec());
    let certificate = certificate(&key, |params| {
        let name = &mut params.distinguished_name;
        *name = DistinguishedName::new();
        name.push(DnType::CountryName, "NO");
        name.push(DnType::OrganizationName, "Kommunen, \"avd. 1\"");
        name.push(oid(&[2, 5, 4, 97]), "NTRNO-123456789");
        name.push(oid(&[2, 5, 4, 5]), rcgen::DnValue::TeletexString("42".try_into().unwrap()));
        name.push(oid(&[1, 2, 840, 113_549, 1, 9, 1]), rcgen::DnValue::Ia5String("a@b.example".try_into().unwrap()));
        name.push(oid(&[1, 3, 6, 1, 4, 1, 99]), "unknown");
        name.push(DnType::CommonName, rcgen::DnValue::BmpString("Ærlig".try_into().unwrap()));
    });
    let name = "CN=Ærlig,1.3.6.1.4.1.99=unknown,emailAddress=a@b.example,serialNumber=42,\
                organizationIdentifier=NTRNO-123456789,O=Kommunen\\, \\\"avd. 1\\\",C=NO";
    let identity = from_pem(&certificate, &key).unwrap();
    assert_eq!((identity.subject(), identity.issuer()), (name, name));
    let elsewhere = environment(&root("Root")).suits(&identity).unwrap_err();
    assert!(elsewhere.to_string().contains("organizationIdentifier=NTRNO-123456789"), "{elsewhere}");
}

#[test]
fn a_certificate_of_absurd_size_is_refused_at_once() {
    let key = rsa();
    let with_serial_number = |bytes: usize| {
        let certificate = certificate(&key, |params| {
            params.serial_number = Some(SerialNumber::from(vec![0x7f; bytes]));
        });
        from_pem(&certificate, &key).map(|_| ())
    };
    assert_eq!(with_serial_number(21), Ok(()), "longer than RFC 5280 allows");
    assert_eq!(with_serial_number(512), Ok(()));
    let too_large = |what, bytes, most| Err(IdentityError::TooLarge { what, bytes, most });
    assert_eq!(with_serial_number(513), too_large("serial number", 513, 512));
    let error = with_serial_number(60_000).unwrap_err().to_string();
    assert_eq!(error, "the certificate is too large: its serial number has 60000 bytes, at most 512 are read");
    let whole = with_serial_number(700_000).unwrap_err();
    assert!(matches!(whole, IdentityError::TooLarge { what: "encoding", bytes: 700_000.., most: 65_535 }), "{whole}");
    let name = certificate(&key, |params| params.distinguished_name.push(DnType::LocalityName, "x".repeat(700_000)));
    let name = from_pem(&name, &key).unwrap_err();
    assert!(matches!(name, IdentityError::TooLarge { what: "encoding", bytes: 700_000.., most: 65_535 }), "{name}");
}
