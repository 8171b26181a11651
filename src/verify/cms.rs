//! One signature: its digest, its key, and whom its certificate leads to (RFC 5652; ETSI EN 319 122-1; RFC 3161).

use aws_lc_rs::digest::{self, Algorithm, Context};
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{Any, AnyRef, ObjectIdentifier, OctetString};
use der::{Choice, Decode, DecodeValue, Encode, Header, Reader, Sequence, SliceReader, Tag, Tagged};
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::aws_lc_rs as aws;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage};
use x509_cert::attr::Attribute;
use x509_cert::ext::pkix::SubjectKeyIdentifier;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::pdf::{Found, Kind};
use super::signature::PdfSignature;
use crate::certificate::Certificate;
use crate::error::VerificationError::{self, Malformed, Unsupported};
use crate::oid::{DATA, RSA, SHA256, SHA384, SHA512, TIME_STAMPING, oid};
use crate::signed_data::{
    CONTENT_TYPE, MESSAGE_DIGEST, RSA_SHA256, SIGNED_DATA, SIGNING_CERTIFICATE_V2, SigningCertificateV2,
};
use crate::trust::TrustAnchors;

/// RFC 3161, section 2.4.2.
const TIMESTAMP: ObjectIdentifier = oid("1.2.840.113549.1.9.16.1.4");
const SIGNING_TIME: ObjectIdentifier = oid("1.2.840.113549.1.9.5");
/// RFC 2634: which certificate signed, with SHA-1.
const SIGNING_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.12");
const RSA_PSS: ObjectIdentifier = oid("1.2.840.113549.1.1.10");
const RSA_SHA384: ObjectIdentifier = oid("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = oid("1.2.840.113549.1.1.13");
const ECDSA_SHA256: ObjectIdentifier = oid("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = oid("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = oid("1.2.840.10045.4.3.4");

/// Checks one signature.
pub(super) fn check(found: &Found<'_>, roots: &TrustAnchors, at: Timestamp) -> Result<PdfSignature, VerificationError> {
    let data = signed_data(&found.contents)?;
    let [signer] = data.signer_infos.0.as_slice() else { return Err(Malformed("it has not exactly one signer")) };
    let certificates = certificates(&data)?;
    let leaf = leaf(signer, &certificates)?;

    // What is signed is the attributes as a SET OF (RFC 5652, section 5.4).
    let signed = signer.signed_attrs.as_ref().ok_or(Unsupported("it has no signed attributes"))?;
    let message = signed.to_der().map_err(|_| Malformed("its attributes"))?;
    let attributes = signed.as_slice();
    let hash = hash(&signer.digest_alg)?;

    let content_type: ObjectIdentifier = required(attributes, CONTENT_TYPE)?;
    if content_type != data.encap_content_info.econtent_type {
        return Err(Malformed("its content type"));
    }
    let stated: OctetString = required(attributes, MESSAGE_DIGEST)?;
    let time = match found.kind {
        Kind::Pades | Kind::Pkcs7 => {
            if content_type != DATA || data.encap_content_info.econtent.is_some() {
                return Err(Malformed("it is not detached"));
            }
            if stated.as_bytes() != hashed(hash, found.covered) {
                return Err(VerificationError::Changed);
            }
            claimed_time(attributes).or(found.claimed)
        }
        Kind::Timestamp => {
            if content_type != TIMESTAMP {
                return Err(Malformed("it is not a timestamp"));
            }
            let content = data.encap_content_info.econtent.as_ref().ok_or(Malformed("it is an empty timestamp"))?;
            let token: OctetString = content.decode_as().map_err(|_| Malformed("its timestamp"))?;
            if stated.as_bytes() != hashed(hash, [token.as_bytes()]) {
                return Err(VerificationError::BadSignature);
            }
            Some(Imprint::read(token.as_bytes())?.time_of(found)?)
        }
    };
    signing_certificate(attributes, &certificates[leaf], found.kind)?;
    by_key_of(&certificates[leaf], signer, &message)?;
    trusted(leaf, &certificates, found.kind, roots, at)?;
    let certificate = Certificate::parse(&certificates[leaf]).map_err(|_| VerificationError::BadCertificate)?;
    Ok(PdfSignature::new(&certificate, found.kind == Kind::Timestamp, time))
}

/// The CMS, behind which nothing but zeros may follow.
fn signed_data(contents: &[u8]) -> Result<SignedData, VerificationError> {
    let malformed = |_| Malformed("it is not CMS in DER");
    let mut reader = SliceReader::new(contents).map_err(malformed)?;
    let header = Header::decode(&mut reader).map_err(malformed)?;
    let length = u32::from(reader.position()).saturating_add(u32::from(header.length()));
    let (der, rest) = usize::try_from(length)
        .ok()
        .and_then(|length| contents.split_at_checked(length))
        .ok_or(Malformed("it is not CMS in DER"))?;
    if rest.iter().any(|byte| *byte != 0) {
        return Err(Malformed("something follows it"));
    }
    let info = ContentInfo::from_der(der).map_err(malformed)?;
    if info.content_type != SIGNED_DATA {
        return Err(Malformed("it is not SignedData"));
    }
    info.content.decode_as().map_err(malformed)
}

fn certificates(data: &SignedData) -> Result<Vec<CertificateDer<'static>>, VerificationError> {
    let all = data.certificates.iter().flat_map(|set| set.0.iter());
    let certificates = all.filter_map(|choice| match choice {
        CertificateChoices::Certificate(certificate) => Some(certificate.to_der().map(CertificateDer::from)),
        CertificateChoices::Other(_) => None,
    });
    certificates.collect::<Result<_, _>>().map_err(|_| Malformed("its certificates"))
}

/// Which certificate is the signer's.
fn leaf(signer: &SignerInfo, certificates: &[CertificateDer<'_>]) -> Result<usize, VerificationError> {
    let is_signer = |der: &CertificateDer<'_>| {
        let Ok(certificate) = x509_cert::Certificate::from_der(der) else { return false };
        let own = certificate.tbs_certificate();
        match &signer.sid {
            SignerIdentifier::IssuerAndSerialNumber(sid) => {
                sid.issuer == *own.issuer() && sid.serial_number == *own.serial_number()
            }
            SignerIdentifier::SubjectKeyIdentifier(sid) => {
                matches!(own.get_extension::<SubjectKeyIdentifier>(), Ok(Some((_, own))) if own == *sid)
            }
        }
    };
    certificates.iter().position(is_signer).ok_or(Malformed("it lacks the signer's certificate"))
}

/// The only value of an attribute that must be there once.
fn required<'a, T: Choice<'a> + DecodeValue<'a>>(
    attributes: &'a [Attribute],
    oid: ObjectIdentifier,
) -> Result<T, VerificationError> {
    let mut of_kind = attributes.iter().filter(|attribute| attribute.oid == oid);
    match (of_kind.next().map(|attribute| attribute.values.as_slice()), of_kind.next()) {
        (Some([value]), None) => value.decode_as().map_err(|_| Malformed("its attributes")),
        _ => Err(Malformed("its attributes")),
    }
}

fn hash(algorithm: &AlgorithmIdentifierOwned) -> Result<&'static Algorithm, VerificationError> {
    match algorithm.oid {
        SHA256 => Ok(&digest::SHA256),
        SHA384 => Ok(&digest::SHA384),
        SHA512 => Ok(&digest::SHA512),
        _ => Err(Unsupported("its digest is not SHA-256, SHA-384 or SHA-512")),
    }
}

fn hashed<const N: usize>(hash: &'static Algorithm, parts: [&[u8]; N]) -> Vec<u8> {
    let mut context = Context::new(hash);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().to_vec()
}

/// The time that the signer's own clock gave. Later times are `GeneralizedTime` (RFC 5652, section 11.3).
fn claimed_time(attributes: &[Attribute]) -> Option<Timestamp> {
    let value: AnyRef<'_> = required(attributes, SIGNING_TIME).ok()?;
    let text = std::str::from_utf8(value.value()).ok()?;
    match value.tag() {
        // Years of two digits: 50 to 99 are of the last century.
        Tag::UtcTime => time(&format!("{}{text}", if text < "5" { "20" } else { "19" })),
        Tag::GeneralizedTime => time(text),
        _ => None,
    }
}

/// `YYYYMMDDHHMMSS`, a fraction of a second that is not looked at, and `Z`.
fn time(text: &str) -> Option<Timestamp> {
    let (seconds, rest) = text.split_at_checked(14)?;
    let fraction = rest.strip_suffix('Z')?;
    let is_fraction = fraction.strip_prefix('.').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", seconds).ok()?;
    (fraction.is_empty() || is_fraction).then(|| jiff::tz::TimeZone::UTC.to_timestamp(civil).ok())?
}

/// `MessageImprint` of RFC 3161: what a timestamp is about.
#[derive(Sequence)]
struct MessageImprint {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

/// What a timestamp says.
struct Imprint {
    imprint: MessageImprint,
    time: Timestamp,
}

impl Imprint {
    /// Reads a `TSTInfo` (RFC 3161, section 2.4.2).
    fn read(token: &[u8]) -> Result<Self, VerificationError> {
        let read = |reader: &mut SliceReader<'_>| {
            let (_version, _policy): (u8, ObjectIdentifier) = (reader.decode()?, reader.decode()?);
            let imprint: MessageImprint = reader.decode()?;
            let (_serial, time): (Any, Any) = (reader.decode()?, reader.decode()?);
            reader.read_slice(reader.remaining_len())?;
            Ok::<_, der::Error>((imprint, time))
        };
        let (imprint, at) =
            AnyRef::from_der(token).and_then(|token| token.sequence(read)).map_err(|_| Malformed("its timestamp"))?;
        let text = std::str::from_utf8(at.value()).ok().filter(|_| at.tag() == Tag::GeneralizedTime);
        Ok(Self { imprint, time: text.and_then(time).ok_or(Malformed("the time of its timestamp"))? })
    }

    /// The time, if it is that of the document.
    fn time_of(&self, found: &Found<'_>) -> Result<Timestamp, VerificationError> {
        let hash = hash(&self.imprint.algorithm)?;
        if self.imprint.digest.as_bytes() != hashed(hash, found.covered) {
            return Err(VerificationError::Changed);
        }
        Ok(self.time)
    }
}

/// What is signed names the certificate, so that no other with the same key can take its place. PAdES and timestamps must
/// have it.
fn signing_certificate(
    attributes: &[Attribute],
    leaf: &CertificateDer<'_>,
    kind: Kind,
) -> Result<(), VerificationError> {
    let has = |oid| attributes.iter().any(|attribute| attribute.oid == oid);
    let (algorithm, first) = if has(SIGNING_CERTIFICATE_V2) {
        let named: SigningCertificateV2 = required(attributes, SIGNING_CERTIFICATE_V2)?;
        let first = named.certificates.into_iter().next().ok_or(Malformed("it names no certificate"))?;
        (first.algorithm.as_ref().map_or(Ok(&digest::SHA256), hash)?, first.digest)
    } else if has(SIGNING_CERTIFICATE) {
        // The same structure, but that the digest is always SHA-1.
        let named: SigningCertificateV2 = required(attributes, SIGNING_CERTIFICATE)?;
        let first = named.certificates.into_iter().next().ok_or(Malformed("it names no certificate"))?;
        (&digest::SHA1_FOR_LEGACY_USE_ONLY, first.digest)
    } else {
        return if kind == Kind::Pkcs7 { Ok(()) } else { Err(Malformed("it does not name its certificate")) };
    };
    if first.as_bytes() == hashed(algorithm, [leaf.as_ref()]) {
        Ok(())
    } else {
        Err(Malformed("it names another certificate"))
    }
}

/// Whether the signature over the attributes is by the key of the certificate.
fn by_key_of(leaf: &CertificateDer<'_>, signer: &SignerInfo, message: &[u8]) -> Result<(), VerificationError> {
    let certificate = EndEntityCert::try_from(leaf).map_err(|_| VerificationError::BadCertificate)?;
    let signature = signer.signature.as_bytes();
    let is_valid = algorithms(signer)?
        .iter()
        .any(|algorithm| certificate.verify_signature(*algorithm, message, signature).is_ok());
    if is_valid { Ok(()) } else { Err(VerificationError::BadSignature) }
}

type Candidates = &'static [&'static dyn SignatureVerificationAlgorithm];

/// The algorithms that a signature may be of. Its own digest is that of its attributes.
fn algorithms(signer: &SignerInfo) -> Result<Candidates, VerificationError> {
    const RSA_256: Candidates = &[aws::RSA_PKCS1_2048_8192_SHA256];
    const RSA_384: Candidates = &[aws::RSA_PKCS1_2048_8192_SHA384];
    const RSA_512: Candidates = &[aws::RSA_PKCS1_2048_8192_SHA512];
    const PSS_256: Candidates = &[aws::RSA_PSS_2048_8192_SHA256_LEGACY_KEY];
    const PSS_384: Candidates = &[aws::RSA_PSS_2048_8192_SHA384_LEGACY_KEY];
    const PSS_512: Candidates = &[aws::RSA_PSS_2048_8192_SHA512_LEGACY_KEY];
    const ECDSA_256: Candidates = &[aws::ECDSA_P256_SHA256, aws::ECDSA_P384_SHA256, aws::ECDSA_P521_SHA256];
    const ECDSA_384: Candidates = &[aws::ECDSA_P256_SHA384, aws::ECDSA_P384_SHA384, aws::ECDSA_P521_SHA384];
    const ECDSA_512: Candidates = &[aws::ECDSA_P256_SHA512, aws::ECDSA_P384_SHA512, aws::ECDSA_P521_SHA512];
    match (signer.signature_algorithm.oid, signer.digest_alg.oid) {
        (RSA | RSA_SHA256, SHA256) => Ok(RSA_256),
        (RSA | RSA_SHA384, SHA384) => Ok(RSA_384),
        (RSA | RSA_SHA512, SHA512) => Ok(RSA_512),
        _ if signer.signature_algorithm.oid == RSA_PSS && !salted_like_tls(signer) => {
            Err(Unsupported("its salt is not as long as its digest"))
        }
        // Its parameters name the digest once more; with another than this the signature does not verify.
        (RSA_PSS, SHA256) => Ok(PSS_256),
        (RSA_PSS, SHA384) => Ok(PSS_384),
        (RSA_PSS, SHA512) => Ok(PSS_512),
        (ECDSA_SHA256, SHA256) => Ok(ECDSA_256),
        (ECDSA_SHA384, SHA384) => Ok(ECDSA_384),
        (ECDSA_SHA512, SHA512) => Ok(ECDSA_512),
        _ => Err(Unsupported("its algorithm")),
    }
}

/// Whether the salt of a PSS signature is as long as its digest: no other is known to what checks it here.
fn salted_like_tls(signer: &SignerInfo) -> bool {
    let expected = hash(&signer.digest_alg).map_or(0, Algorithm::output_len);
    let parameters = signer.signature_algorithm.parameters.as_ref();
    let params = parameters.and_then(|parameters| parameters.decode_as::<PssParameters>().ok());
    params.is_some_and(|params| usize::from(params.salt_length.unwrap_or(20)) == expected)
}

/// `RSASSA-PSS-params` of RFC 4055, section 3.1.
#[derive(Sequence)]
struct PssParameters {
    #[asn1(context_specific = "0", optional = "true")]
    hash: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "1", optional = "true")]
    mask: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "2", optional = "true")]
    salt_length: Option<u16>,
    #[asn1(context_specific = "3", optional = "true")]
    trailer: Option<u16>,
}

/// What the extended key usage of a signer is: whatever the authority chose. It has no purpose for signing documents that
/// all authorities use.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// Whether the certificate leads to a root, all valid at that time, and may sign.
fn trusted(
    leaf: usize,
    certificates: &[CertificateDer<'_>],
    kind: Kind,
    roots: &TrustAnchors,
    at: Timestamp,
) -> Result<(), VerificationError> {
    let own = Certificate::parse(&certificates[leaf]).map_err(|_| VerificationError::BadCertificate)?;
    if !own.may_sign_documents() || (kind == Kind::Timestamp && !own.is_for_timestamps()) {
        return Err(VerificationError::BadCertificate);
    }
    let anchors: Vec<_> =
        roots.certificates().iter().filter_map(|der| webpki::anchor_from_trusted_cert(der).ok()).collect();
    let certificate = EndEntityCert::try_from(&certificates[leaf]).map_err(|_| VerificationError::BadCertificate)?;
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let all = webpki::ALL_VERIFICATION_ALGS;
    let path = match kind {
        // Authorities need not have it in their own certificates.
        Kind::Timestamp => {
            let usage = KeyUsage::required_if_present(TIME_STAMPING.as_bytes());
            certificate.verify_for_usage(all, &anchors, certificates, now, usage, None, None)
        }
        Kind::Pades | Kind::Pkcs7 => {
            certificate.verify_for_usage(all, &anchors, certificates, now, AnyPurpose, None, None)
        }
    };
    path.map(drop).map_err(|error| match error {
        webpki::Error::UnknownIssuer => VerificationError::Untrusted,
        webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => {
            VerificationError::OutOfDate { not_before: own.not_before(), not_after: own.not_after() }
        }
        _ => VerificationError::BadCertificate,
    })
}
