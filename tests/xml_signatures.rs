//! Evidence in forms that the sandbox does not seal by default: bare XAdES, several documents, keys on elliptic curves.

mod support;

use std::process::Command;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature as aws;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use posten_signering::sandbox::{Sandbox, TechnicalSignature};
use posten_signering::verify::{EvidenceForm, Inclusion, Inspected, SealTrust, VerificationError, Verified};
use posten_signering::{Document, Xades};

use self::support::pdf;
use self::support::sealed::{completed, seal_trust as seal};
use self::support::tempfile;

#[tokio::test]
async fn a_bare_xades_is_evidence_from_the_download_and_from_the_attachments() {
    let bare = Sandbox::builder().technical_signature(TechnicalSignature::Bare).build();
    let sandbox = Sandbox::start_with(bare).await.unwrap();
    let sent = Document::pdf("Sider", pdf::page("Side 1")).unwrap();
    let done = completed(&sandbox, vec![sent.clone()]).await;
    let seal = seal(&sandbox);
    let mut trust = seal.clone();
    for signature in done.signatures() {
        let xades = signature.xades().unwrap();
        // Signed with a certificate of the signer's own, which is not that of the seal.
        let failed = xades.verified(&seal).await.unwrap_err();
        let is_refused = matches!(
            failed.reason(),
            Some(VerificationError::Untrusted { .. } | VerificationError::BadCertificate { .. })
        );
        assert!(is_refused, "{failed:?}");
        let inspected = Inspected::read_technical_signature(failed.bytes().unwrap()).unwrap();
        let pinned = SealTrust::pinned(inspected.evidence().sealed_by().certificate()).unwrap();
        let verified = xades.verified(&pinned).await.unwrap();
        let evidence = verified.evidence();
        assert_eq!(evidence.form(), EvidenceForm::Xades);
        assert!(evidence.concerns(&sent));
        assert!(!evidence.concerns(&Document::text("Annet", "Hei").unwrap()));
        assert!(evidence.signer_name().is_none(), "it names nobody besides its certificate");
        trust = trust.or(pinned);
    }
    let signed = done.pades().verified(&trust).await.unwrap();
    assert_eq!(signed.evidence().len(), 2);
    assert!(signed.evidence().iter().all(|found| found.as_ref().is_ok_and(|found| found.concerns(&sent))));
    assert_eq!(signed.inclusion(&sent), Inclusion::Referenced);
    // And with the trust in the seal alone they prove nothing.
    let signed = done.pades().verified(&seal).await.unwrap();
    assert!(signed.evidence().iter().all(Result::is_err));
    assert_eq!(signed.inclusion(&sent), Inclusion::Unknown);
}

#[tokio::test]
async fn evidence_of_several_documents_concerns_each_of_them() {
    let sandbox = Sandbox::start().await.unwrap();
    let sent = [
        Document::pdf("Avtale", pdf::page("Side 1")).unwrap(),
        Document::text("Vedlegg", "Hei").unwrap(),
        Document::pdf("Bilag", pdf::page("Side 2")).unwrap(),
    ];
    let done = completed(&sandbox, sent.to_vec()).await;
    let verified = done.signatures()[0].xades().unwrap().verified(&seal(&sandbox)).await.unwrap();
    assert_eq!(verified.evidence().form(), EvidenceForm::LtvSdo);
    assert_eq!(verified.evidence().document_digests().len(), 3);
    let signed = done.pades().verified(&seal(&sandbox)).await.unwrap();
    for document in &sent {
        assert!(verified.evidence().concerns(document));
        assert_eq!(signed.inclusion(document), Inclusion::Referenced);
    }
    assert_eq!(signed.inclusion(&Document::text("Annet", "Hallo").unwrap()), Inclusion::Unknown);
}

/// A key on a curve, and how it signs.
struct Curve {
    key: rcgen::KeyPair,
    signing: &'static aws::EcdsaSigningAlgorithm,
    method: &'static str,
}

fn curves() -> [Curve; 3] {
    let key = |algorithm| rcgen::KeyPair::generate_for(algorithm).unwrap();
    [
        Curve {
            key: key(&rcgen::PKCS_ECDSA_P256_SHA256),
            signing: &aws::ECDSA_P256_SHA256_FIXED_SIGNING,
            method: "ecdsa-sha256",
        },
        Curve {
            key: key(&rcgen::PKCS_ECDSA_P384_SHA384),
            signing: &aws::ECDSA_P384_SHA384_FIXED_SIGNING,
            method: "ecdsa-sha384",
        },
        Curve {
            key: key(&rcgen::PKCS_ECDSA_P521_SHA512),
            signing: &aws::ECDSA_P521_SHA512_FIXED_SIGNING,
            method: "ecdsa-sha512",
        },
    ]
}

/// A bare XAdES over a file, written in canonical form, and the certificate that it is by. `change` changes the value of
/// the signature.
fn bare(curve: &Curve, content: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> (String, Vec<u8>) {
    let mut params = rcgen::CertificateParams::default();
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    let certificate = params.self_signed(&curve.key).unwrap().der().to_vec();
    let sha256 = |bytes: &[u8]| STANDARD.encode(digest(&SHA256, bytes));
    let digested = |value: &str| {
        format!(
            "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
             <ds:DigestValue>{value}</ds:DigestValue>"
        )
    };
    let namespaces =
        "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\"";
    let properties = format!(
        "<xades:SignedSignatureProperties><xades:SigningTime>2026-01-01T12:00:00Z</xades:SigningTime>\
         <xades:SigningCertificateV2><xades:Cert><xades:CertDigest>{}</xades:CertDigest></xades:Cert>\
         </xades:SigningCertificateV2></xades:SignedSignatureProperties>",
        digested(&sha256(&certificate))
    );
    let canonical =
        format!("<xades:SignedProperties {namespaces} Id=\"SignedProperties\">{properties}</xades:SignedProperties>");
    let c14n = "Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"";
    let info = format!(
        "<ds:CanonicalizationMethod {c14n}></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#{}\"></ds:SignatureMethod>\
         <ds:Reference URI=\"avtale.txt\">{}</ds:Reference>\
         <ds:Reference URI=\"#SignedProperties\"><ds:Transforms><ds:Transform {c14n}></ds:Transform></ds:Transforms>{}\
         </ds:Reference>",
        curve.method,
        digested(&sha256(content)),
        digested(&sha256(canonical.as_bytes())),
    );
    let key = aws::EcdsaKeyPair::from_pkcs8(curve.signing, &curve.key.serialize_der()).unwrap();
    let message = format!("<ds:SignedInfo {namespaces}>{info}</ds:SignedInfo>");
    let mut value = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec();
    change(&mut value);
    let text = format!(
        "<ds:Signature {namespaces}><ds:SignedInfo>{info}</ds:SignedInfo><ds:SignatureValue>{}</ds:SignatureValue>\
         <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo><ds:Object>\
         <xades:QualifyingProperties><xades:SignedProperties Id=\"SignedProperties\">{properties}\
         </xades:SignedProperties></xades:QualifyingProperties></ds:Object></ds:Signature>",
        STANDARD.encode(value),
        STANDARD.encode(&certificate),
    );
    (text, certificate)
}

fn check(text: &str, certificate: &[u8]) -> Result<Verified<Xades>, VerificationError> {
    let trust = SealTrust::pinned(certificate).unwrap();
    let checked = Verified::<Xades>::check(text.as_bytes().to_vec(), &trust, Timestamp::now());
    checked.map_err(|failed| failed.reason().unwrap().clone())
}

#[test]
fn signatures_by_keys_on_curves_are_verified() {
    let content = b"Hei";
    for curve in curves() {
        let (text, certificate) = bare(&curve, content, |_| {});
        let verified = check(&text, &certificate).unwrap();
        assert!(verified.evidence().concerns(&Document::text("Avtale", "Hei").unwrap()), "{}", curve.method);

        let other = text.replace(&curve.method[5..], "sha999");
        assert!(matches!(check(&other, &certificate).unwrap_err(), VerificationError::Unsupported(_)));
        let changed = text.replacen("2026-01-01", "2026-01-02", 1);
        assert_eq!(check(&changed, &certificate).unwrap_err(), VerificationError::Changed);
        let changes: [fn(&mut Vec<u8>); 5] = [
            |value| value[9] ^= 1,
            |value| value.truncate(value.len() - 2),
            |value| value.clear(),
            |value| value.insert(0, 0),
            // As ASN.1, which is for certificates and CMS.
            |value| value.splice(0..0, [0x30, 0x44]).for_each(drop),
        ];
        for change in changes {
            let (text, certificate) = bare(&curve, content, change);
            assert_eq!(check(&text, &certificate).unwrap_err(), VerificationError::BadSignature, "{}", curve.method);
        }
        // A method that is not of the key.
        let rsa = text.replace("ecdsa-", "rsa-");
        assert!(check(&rsa, &certificate).is_err());
    }
}

/// Java's programs write both numbers without the zeros that both begin with.
#[test]
fn a_signature_by_a_key_on_a_curve_may_lack_the_zeros_that_both_numbers_begin_with() {
    let [.., curve] = &curves();
    let mut lacks = false;
    while !lacks {
        let (text, certificate) = bare(curve, b"Hei", |value| {
            lacks = value[0] == 0 && value[66] == 0;
            if lacks {
                value.remove(66);
                value.remove(0);
            }
        });
        check(&text, &certificate).unwrap();
    }
}

#[test]
#[ignore = "outside tool: needs xmlsec1"]
fn outside_signatures_by_keys_on_curves_are_those_that_xmlsec1_accepts() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("avtale.txt"), "Hei").unwrap();
    let accepts = |text: &str| {
        std::fs::write(directory.path().join("signature.xml"), text).unwrap();
        let mut command = Command::new("xmlsec1");
        command.args(["--verify", "--insecure", "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"]);
        let output = command.arg("signature.xml").current_dir(directory.path()).output().expect("needs xmlsec1");
        output.status.success()
    };
    for curve in curves() {
        let (text, _) = bare(&curve, b"Hei", |_| {});
        assert!(accepts(&text), "{}", curve.method);
        let (text, _) = bare(&curve, b"Hei", |value| value[9] ^= 1);
        assert!(!accepts(&text), "{}", curve.method);
    }
}

/// A value with `=` in it, as addresses have them.
#[test]
fn an_address_with_a_hundred_parameters_is_no_hundred_attributes() {
    let curve = &curves()[0];
    let (text, certificate) = bare(curve, b"Hei", |_| {});
    let address = format!("https://a.example/?{}", "a=b;".repeat(150));
    let text = text.replacen("<ds:KeyInfo>", &format!("<ds:KeyInfo Id=\"{address}\">"), 1);
    check(&text, &certificate).unwrap();
}
