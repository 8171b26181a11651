//! PKCS#12 archives: those of other programs, those with several keys, and those that cannot be read.
//!
//! Longer than 400 lines: all archives are of the same parts.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use posten_signering::{Error, Identity, IdentityError};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use secrecy::SecretString;

use self::support::archive::{
    self, Bag, DATA, ENCRYPTED_DATA, PBKDF2, Pbmac1, algorithm, archive, content, mac_data, octets, of_safes, oid,
    sequence, tlv, with_mac,
};
use self::support::tempfile;

const ARCHIVES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/archives");

#[test]
fn archives_of_other_programs_are_read() {
    let archives = [
        "openssl",
        "openssl-legacy",
        "openssl-norwegian",
        "openssl-aes-128",
        "openssl-rc2",
        "openssl-des",
        "openssl-plain",
        "pbmac1",
        "pbmac1-sha512",
        "java",
        "bouncy-castle",
        "nss",
        "gnutls",
    ];
    for name in archives {
        let file = Path::new(ARCHIVES).join(name).with_extension("p12");
        let password = SecretString::from(if name == "openssl-norwegian" { "blåbær 1" } else { "secret" });
        let identity = Identity::from_pkcs12_file(&file, &password).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(identity.subject(), "CN=Kommunen,serialNumber=123456789,O=Kommunen,C=NO", "{name}");
        assert_eq!(identity.issuer(), "CN=Archives Root", "{name}");
        assert!(format!("{identity:?}").contains("chain: 2"), "{name}: {identity:?}");

        let wrong = Identity::from_pkcs12_file(&file, &SecretString::from("galt"));
        // Without encryption and MAC any password will do.
        match wrong {
            Ok(_) => assert_eq!(name, "openssl-plain"),
            Err(wrong) => assert!(matches!(wrong, Error::Identity(IdentityError::WrongPassword)), "{name}: {wrong:?}"),
        }
    }
}

#[test]
fn damaged_archives_are_refused() {
    let password = SecretString::from("secret");
    for name in ["openssl.p12", "openssl-legacy.p12", "bouncy-castle.p12"] {
        let archive = fs::read(Path::new(ARCHIVES).join(name)).unwrap();
        for cut in (0..archive.len()).step_by(97) {
            let error = Identity::from_pkcs12(&archive[..cut], &password).unwrap_err();
            assert_eq!(error, IdentityError::NotPkcs12, "{name}, {cut} bytes");
        }
        let longer = [&archive[..], b"x"].concat();
        assert_eq!(Identity::from_pkcs12(&longer, &password).unwrap_err(), IdentityError::NotPkcs12, "{name}");
        for end in ["\n", "\r\n", "\0\0\0\0"] {
            let padded = [&archive[..], end.as_bytes()].concat();
            assert!(Identity::from_pkcs12(&padded, &password).is_ok(), "{name} and {end:?}");
        }
        for at in (0..archive.len()).step_by(97) {
            let mut changed = archive.clone();
            changed[at] ^= 0x20;
            // What is under the MAC cannot be changed; a few bytes around it mean nothing.
            if let Ok(identity) = Identity::from_pkcs12(&changed, &password) {
                assert_eq!(identity.issuer(), "CN=Archives Root", "{name}, byte {at}");
            }
        }
    }
}

/// Keys for all tests: making one takes longer than everything else.
static KEYS: LazyLock<[KeyPair; 3]> =
    LazyLock::new(|| [(); 3].map(|()| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()));

const AUTHENTICATE: &[KeyUsagePurpose] = &[KeyUsagePurpose::DigitalSignature];
const SIGN: &[KeyUsagePurpose] = &[KeyUsagePurpose::ContentCommitment];
const ENCRYPT: &[KeyUsagePurpose] = &[KeyUsagePurpose::KeyEncipherment];

/// A certificate for a key, whose last day is the first of this year.
fn certificate(key: &KeyPair, name: &str, usages: &[KeyUsagePurpose], until: i32) -> Bag {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = usages.to_vec();
    params.not_after = date_time_ymd(until, 1, 1);
    Bag::certificate(params.self_signed(key).unwrap().der())
}

fn key(key: &KeyPair) -> Bag {
    Bag::key(key.serialized_der())
}

fn open(bags: &[Bag]) -> Result<Identity, IdentityError> {
    Identity::from_pkcs12(&archive(bags), &SecretString::from("secret"))
}

/// The name in the certificate that is used.
fn used(bags: &[Bag]) -> String {
    open(bags).unwrap_or_else(|error| panic!("{error}")).subject().to_owned()
}

#[test]
fn of_the_three_keys_of_a_keytool_archive_the_one_for_digital_signature_is_used() {
    let file = Path::new(ARCHIVES).join("keytool-three.p12");
    let identity = Identity::from_pkcs12_file(file, &SecretString::from("secret")).unwrap();
    // All three have the same subject. This one was made last.
    assert_eq!(identity.subject(), "CN=Kommunen,serialNumber=123456789,O=Kommunen,C=NO");
    assert_eq!(identity.valid_from().to_string(), "2026-11-26T04:21:18Z");
    assert!(format!("{identity:?}").contains("chain: 2"), "{identity:?}");
}

#[test]
fn the_order_of_keys_and_certificates_does_not_matter() {
    let [one, two, three] = &*KEYS;
    for same_subject in [false, true] {
        let name = |own| if same_subject { "Kommunen" } else { own };
        let keys = [key(one), key(two), key(three)];
        let certificates = [
            certificate(one, name("sign"), SIGN, 2998),
            certificate(two, name("encrypt"), ENCRYPT, 2999),
            certificate(three, name("authenticate"), AUTHENTICATE, 2997),
        ];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for first in 0..3 {
                let mut bags = order.map(|at| keys[at].clone()).to_vec();
                bags.extend((0..3).map(|at| certificates[(first + at) % 3].clone()));
                let identity = open(&bags).unwrap();
                assert_eq!(identity.valid_until().to_string(), "2997-01-01T00:00:00Z", "{order:?}, {first} first");
                bags.rotate_left(3);
                assert_eq!(open(&bags).unwrap().valid_until(), identity.valid_until(), "certificates before keys");
            }
        }
    }
}

#[test]
fn of_two_that_suit_the_one_that_lasts_longest_is_used() {
    let [one, two, _] = &*KEYS;
    let older = [key(one), certificate(one, "older", AUTHENTICATE, 2990)];
    let newer = [key(two), certificate(two, "newer", AUTHENTICATE, 2991)];
    assert_eq!(used(&[older.clone(), newer.clone()].concat()), "CN=newer");
    assert_eq!(used(&[newer, older.clone()].concat()), "CN=newer");
    // A renewal for the same key.
    let renewed = certificate(one, "renewed", AUTHENTICATE, 2992);
    let [key, older] = older;
    assert_eq!(used(&[key.clone(), older.clone(), renewed.clone()]), "CN=renewed");
    assert_eq!(used(&[key.clone(), renewed, older.clone()]), "CN=renewed");
    let equal = certificate(one, "equal", AUTHENTICATE, 2990);
    assert_eq!(used(&[key, older, equal]), "CN=older", "the first of equals");
}

#[test]
fn keys_that_cannot_be_used_are_passed_over() {
    let [one, two, three] = &*KEYS;
    let good = [key(one), certificate(one, "good", AUTHENTICATE, 2990)];
    let elliptic = KeyPair::generate().unwrap();
    let scrypt = sequence(&[&oid("1.3.6.1.4.1.11591.4.11"), &sequence(&[])]);
    let others = [
        ("without certificate", vec![key(two)]),
        ("elliptic", vec![key(&elliptic), certificate(&elliptic, "elliptic", AUTHENTICATE, 2999)]),
        ("expired", vec![key(two), certificate(two, "expired", AUTHENTICATE, 2020)]),
        ("another use", vec![key(three), certificate(three, "sign", SIGN, 2999)]),
        ("expired, for the same key", vec![certificate(one, "expired", AUTHENTICATE, 2020)]),
        ("another use of the same key", vec![certificate(one, "sign", SIGN, 2999)]),
        ("damaged", vec![Bag::key(&sequence(&[&octets(b"not a key")]))]),
        ("another encryption", vec![Bag::shrouded_key(&sequence(&[&scrypt]), b"nothing")]),
        ("another password", vec![Bag::shrouded_key(&pbes2(AES_256_CBC, PBKDF2), &[7; 32])]),
        ("a certificate that cannot be read", vec![Bag::certificate(b"not a certificate")]),
    ];
    for (name, bags) in &others {
        let both = |bags: &[&[Bag]]| open(&bags.concat()).map(|identity| identity.subject().to_owned());
        assert_eq!(both(&[bags, &good]).as_deref(), Ok("CN=good"), "{name}, before");
        assert_eq!(both(&[&good, bags]).as_deref(), Ok("CN=good"), "{name}, after");
    }
}

#[test]
fn if_no_key_can_be_used_the_closest_tells_why() {
    let [one, two, three] = &*KEYS;
    let elliptic = KeyPair::generate().unwrap();
    let sign = [key(one), certificate(one, "sign", SIGN, 2999)];
    let encrypt = [key(two), certificate(two, "encrypt", ENCRYPT, 2999)];
    let authenticate = [certificate(three, "authenticate", AUTHENTICATE, 2999)];
    let closed = Bag::shrouded_key(&pbes2(AES_256_CBC, PBKDF2), &[7; 32]);
    let expired = |until| [key(three), certificate(three, "expired", AUTHENTICATE, until)];
    let for_other_uses =
        |key_usage: &str| Err(IdentityError::NotForDigitalSignature { key_usage: key_usage.to_owned() });
    let expired_at = |time: &str| Err(IdentityError::Expired { not_after: time.parse().unwrap() });
    let cases = [
        (vec![], Err(IdentityError::MissingKey)),
        (sign[1..].to_vec(), Err(IdentityError::MissingKey)),
        (vec![key(one), key(two)], Err(IdentityError::MissingCertificate)),
        (vec![key(one), Bag::certificate(b"damaged")], Err(IdentityError::NotCertificate)),
        ([&[key(one)], &encrypt[1..]].concat(), Err(IdentityError::MissingCertificate)),
        (vec![closed.clone()], Err(IdentityError::WrongPassword)),
        (vec![key(&elliptic), key(one)], Err(IdentityError::NotRsa)),
        ([&sign[..], &[key(&elliptic)]].concat(), for_other_uses("nonRepudiation")),
        ([&sign[..], &encrypt].concat(), for_other_uses("nonRepudiation; keyEncipherment")),
        ([&encrypt[..], &sign].concat(), for_other_uses("keyEncipherment; nonRepudiation")),
        // The right one is there, and has to be renewed.
        ([&sign[..], &encrypt, &expired(2020)].concat(), expired_at("2020-01-01T00:00:00Z")),
        ([&expired(2020)[..], &expired(2021)[1..], &sign].concat(), expired_at("2021-01-01T00:00:00Z")),
        // The certificate is there, and the key that must be its own cannot be decrypted.
        ([&sign[..], std::slice::from_ref(&closed), &authenticate].concat(), Err(IdentityError::WrongPassword)),
        ([&sign[..], &[closed]].concat(), for_other_uses("nonRepudiation")),
        // A renewal would not help: it is for another use.
        (vec![key(one), certificate(one, "sign", SIGN, 2020)], for_other_uses("nonRepudiation")),
    ];
    for (at, (bags, expected)) in cases.into_iter().enumerate() {
        assert_eq!(open(&bags).map(|_| ()), expected, "case {at}");
    }
}

const AES_256_CBC: &str = "2.16.840.1.101.3.4.1.42";

/// PBES2 with this cipher and this derivation.
fn pbes2(cipher: &str, derivation: &str) -> Vec<u8> {
    let rounds = [tlv(2, &[&[10]]), tlv(2, &[&[32]]), algorithm(archive::HMAC_SHA256)].concat();
    let derivation = sequence(&[&oid(derivation), &sequence(&[&octets(b"salt"), &rounds])]);
    let cipher = sequence(&[&oid(cipher), &octets(&[1; 16])]);
    sequence(&[&oid("1.2.840.113549.1.5.13"), &sequence(&[&derivation, &cipher])])
}

/// The archive of openssl with another MAC.
fn with_another_mac(mac: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<Identity, IdentityError> {
    let archive = fs::read(Path::new(ARCHIVES).join("openssl.p12")).unwrap();
    Identity::from_pkcs12(&with_mac(&archive, mac), &SecretString::from("secret"))
}

#[test]
fn pbmac1_is_checked_and_no_short_key_taken() {
    let open = |pbmac1: &Pbmac1<'_>| with_another_mac(|safes| pbmac1.mac_data(safes)).map(|_| ());
    assert_eq!(open(&Pbmac1::default()), Ok(()));
    assert_eq!(open(&Pbmac1 { password: "galt", ..Pbmac1::default() }), Err(IdentityError::WrongPassword));
    for key_length in [20, 64] {
        assert_eq!(open(&Pbmac1 { key_length: Some(key_length), ..Pbmac1::default() }), Ok(()), "{key_length}");
    }
    for key_length in [1, 19, 65, 70_000] {
        let what = format!("PBMAC1 with a key of {key_length} bytes (not 20 to 64)");
        let refused = Err(IdentityError::UnsupportedPkcs12 { what });
        assert_eq!(open(&Pbmac1 { key_length: Some(key_length), ..Pbmac1::default() }), refused);
    }
    let unknown_length = Pbmac1 { key_length: None, ..Pbmac1::default() };
    assert_eq!(open(&unknown_length), Err(IdentityError::NotPkcs12), "RFC 9579 requires it");
    let what = "more than 10000000 rounds of key derivation".to_owned();
    for iterations in [10_000_001, u64::MAX] {
        let endless = Pbmac1 { iterations, ..Pbmac1::default() };
        assert_eq!(open(&endless), Err(IdentityError::UnsupportedPkcs12 { what: what.clone() }));
    }
}

#[test]
fn what_is_not_supported_is_named() {
    let unsupported = |what: &str| Err(IdentityError::UnsupportedPkcs12 { what: what.to_owned() });
    let read = |archive: &[u8]| Identity::from_pkcs12(archive, &SecretString::from("secret")).map(|_| ());
    let file = |name: &str| read(&fs::read(Path::new(ARCHIVES).join(name)).unwrap());

    let two_key = unsupported("pbeWithSHAAnd2-KeyTripleDES-CBC (1.2.840.113549.1.12.1.4)");
    assert_eq!(file("openssl-two-key.p12"), two_key);
    let text =
        "the PKCS#12 archive uses pbeWithSHAAnd2-KeyTripleDES-CBC (1.2.840.113549.1.12.1.4), which is not supported";
    assert_eq!(two_key.unwrap_err().to_string(), text);
    assert_eq!(file("openssl-rc4.p12"), unsupported("pbeWithSHAAnd40BitRC4 (1.2.840.113549.1.12.1.2)"));

    // A MAC of another algorithm.
    let mac = |algorithm: &[u8]| with_another_mac(|_| mac_data(algorithm, &[0; 32])).map(|_| ());
    assert_eq!(mac(&algorithm("1.2.840.113549.2.5")), unsupported("MD5 (1.2.840.113549.2.5)"));
    assert_eq!(mac(&algorithm("1.2.643.7.1.1.2.3")), unsupported("the algorithm 1.2.643.7.1.1.2.3"));
    let pbmac1 = |pbmac1: Pbmac1<'_>| with_another_mac(|safes| pbmac1.mac_data(safes)).map(|_| ());
    let scrypt = Pbmac1 { derivation: "1.3.6.1.4.1.11591.4.11", ..Pbmac1::default() };
    assert_eq!(pbmac1(scrypt), unsupported("scrypt (1.3.6.1.4.1.11591.4.11)"));
    let prf = Pbmac1 { prf: "1.2.840.113549.2.13", ..Pbmac1::default() };
    assert_eq!(pbmac1(prf), unsupported("hmacWithSHA512-256 (1.2.840.113549.2.13)"));
    let hmac = Pbmac1 { hmac: "2.16.840.1.101.3.4.2.14", ..Pbmac1::default() };
    assert_eq!(pbmac1(hmac), unsupported("the algorithm 2.16.840.1.101.3.4.2.14"));

    // Another encryption, of a key and of a part of the archive.
    let gcm = "2.16.840.1.101.3.4.1.46";
    let named = unsupported("aes256-GCM (2.16.840.1.101.3.4.1.46)");
    assert_eq!(open(&[Bag::shrouded_key(&pbes2(gcm, PBKDF2), &[7; 32])]).map(|_| ()), named);
    let encrypted = |scheme: &[u8]| {
        let info = sequence(&[&oid(DATA), scheme, &tlv(0x80, &[&[7; 32]])]);
        read(&of_safes(&[&content(ENCRYPTED_DATA, &sequence(&[&tlv(2, &[&[0]]), &info]))]))
    };
    assert_eq!(encrypted(&pbes2(gcm, PBKDF2)), named);
    assert_eq!(
        encrypted(&algorithm("1.2.840.113549.1.5.3")),
        unsupported("pbeWithMD5AndDES-CBC (1.2.840.113549.1.5.3)")
    );
    assert_eq!(encrypted(&pbes2(AES_256_CBC, PBKDF2)), Err(IdentityError::WrongPassword));

    // With certificates in place of a password.
    let signed = sequence(&[&tlv(2, &[&[3]]), &content("1.2.840.113549.1.7.2", &sequence(&[]))]);
    assert_eq!(read(&signed), unsupported("signedData (1.2.840.113549.1.7.2)"));
    let enveloped = of_safes(&[&content("1.2.840.113549.1.7.3", &sequence(&[]))]);
    assert_eq!(read(&enveloped), unsupported("envelopedData (1.2.840.113549.1.7.3)"));
}

/// Runs openssl in a directory.
fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(directory).output();
    let output = output.expect("needs openssl");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "outside tool: needs openssl"]
fn outside_archives_of_openssl_are_read_in_all_encryptions() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let password = SecretString::from("hemmelig æøå");
    openssl(here, "req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.pem -subj /CN=Root");
    openssl(
        here,
        "req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=Firma/2.5.4.97=NTRNO-123456789",
    );
    fs::write(here.join("usage"), "keyUsage=digitalSignature").unwrap();
    openssl(here, "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -days 30 -extfile usage -out leaf.pem");
    fs::write(here.join("password"), "hemmelig æøå\n").unwrap();

    let encryptions = [
        ("default", ""),
        ("legacy", " -legacy"),
        ("aes", " -certpbe AES-192-CBC -keypbe AES-128-CBC -macalg sha384 -iter 100000"),
        ("des", " -certpbe PBE-SHA1-3DES -keypbe DES-EDE3-CBC -macalg sha512"),
        ("rc2", " -legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-40 -macalg sha224 -maciter"),
    ];
    // From version 3.4 on.
    let help = Command::new("openssl").args(["pkcs12", "-help"]).output().expect("needs openssl").stderr;
    let has_pbmac1 = String::from_utf8_lossy(&help).contains("-pbmac1_pbkdf2");
    let pbmac1 = ("pbmac1", " -pbmac1_pbkdf2 -pbmac1_pbkdf2_md sha384 -macalg sha512");
    println!("PBMAC1 is {}", if has_pbmac1 { "among them" } else { "unknown to this openssl" });
    for (name, options) in encryptions.into_iter().chain(has_pbmac1.then_some(pbmac1)) {
        let export = "pkcs12 -export -in leaf.pem -inkey leaf.key -certfile ca.pem -passout file:password";
        openssl(here, &format!("{export} -out {name}.p12{options}"));
        let file = here.join(format!("{name}.p12"));
        let identity = Identity::from_pkcs12_file(&file, &password).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            identity.organization_number().map(posten_signering::OrganizationNumber::as_str),
            Some("123456789"),
            "{name}"
        );
        assert!(format!("{identity:?}").contains("chain: 2"), "{name}: {identity:?}");
        let wrong = Identity::from_pkcs12_file(&file, &SecretString::from("galt")).unwrap_err();
        assert!(matches!(wrong, Error::Identity(IdentityError::WrongPassword)), "{name}: {wrong:?}");
        let wrong = Identity::from_pkcs12_file(&file, &SecretString::from("")).unwrap_err();
        assert!(matches!(wrong, Error::Identity(IdentityError::WrongPassword)), "{name}: {wrong:?}");

        openssl(here, &format!("pkcs12 -export -nokeys -in leaf.pem -passout file:password -out no-key.p12{options}"));
        let missing = Identity::from_pkcs12_file(here.join("no-key.p12"), &password).unwrap_err();
        assert!(matches!(missing, Error::Identity(IdentityError::MissingKey)), "{name}: {missing:?}");
        openssl(
            here,
            &format!(
                "pkcs12 -export -nocerts -inkey leaf.key -in leaf.key -passout file:password -out alone.p12{options}"
            ),
        );
        let alone = Identity::from_pkcs12_file(here.join("alone.p12"), &password).unwrap_err();
        assert!(matches!(alone, Error::Identity(IdentityError::MissingCertificate)), "{name}: {alone:?}");
    }

    openssl(here, "ecparam -name prime256v1 -genkey -noout -out ec.key");
    openssl(here, "req -x509 -key ec.key -days 30 -out ec.pem -subj /CN=Firma");
    openssl(here, "pkcs12 -export -in ec.pem -inkey ec.key -passout file:password -out ec.p12");
    let elliptic = Identity::from_pkcs12_file(here.join("ec.p12"), &password).unwrap_err();
    assert!(matches!(elliptic, Error::Identity(IdentityError::NotRsa)), "{elliptic:?}");

    // PEM as openssl writes it, in PKCS#8 and in the older PKCS#1.
    Identity::from_pem_files(here.join("leaf.pem"), here.join("leaf.key")).unwrap();
    openssl(here, "rsa -in leaf.key -traditional -out leaf-pkcs1.key");
    Identity::from_pem_files(here.join("leaf.pem"), here.join("leaf-pkcs1.key")).unwrap();
}

#[cfg(feature = "sandbox")]
#[tokio::test]
#[ignore = "outside tool: needs openssl and keytool"]
async fn outside_archives_of_the_sandbox_are_read_by_openssl_and_java() {
    let sandbox = posten_signering::sandbox::Sandbox::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let password = "hemmelig æøå";
    fs::write(here.join("client.p12"), sandbox.pkcs12(&password.into()).unwrap()).unwrap();
    fs::write(here.join("password"), format!("{password}\n")).unwrap();
    openssl(here, "pkcs12 -in client.p12 -passin file:password -nodes -out client.pem");
    let read = fs::read_to_string(here.join("client.pem")).unwrap();
    assert_eq!(read.matches("BEGIN CERTIFICATE").count(), 3, "{read}");
    assert_eq!(read.matches("friendlyName: client").count(), 2, "of the key and of its certificate");
    Identity::from_pem_files(here.join("client.pem"), here.join("client.pem")).unwrap();

    // Java takes no password beyond ASCII with this encryption.
    fs::write(here.join("client.p12"), sandbox.pkcs12(&"hemmelig".into()).unwrap()).unwrap();
    let mut keytool = Command::new("keytool");
    keytool.args(["-list", "-v", "-keystore", "client.p12", "-storepass", "hemmelig"]).current_dir(here);
    let output = keytool.output().expect("needs keytool");
    let listed = String::from_utf8_lossy(&output.stdout);
    for expected in ["Alias name: client", "Entry type: PrivateKeyEntry", "Certificate chain length: 3"] {
        assert!(listed.contains(expected), "{listed}");
    }
}
