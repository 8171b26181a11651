//! Evidence: technical signatures, verified.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use roxmltree::Node;
use secrecy::SecretString;

use super::cms::Intact;
use super::judged::Judge;
use super::key::sha256;
use super::signature::{CheckedSignature, SealFacts};
use super::trust::SealTrust;
use super::xml::{self, SignedXml};
use crate::asice::xades::{ASIC, DS};
use crate::error::VerificationError::{self, Malformed, UnknownFormat};
use crate::types::Document;
use crate::xml::text_of;

/// The maximum number of documents of a job, and so of an LTV-SDO.
const MAX_DOCUMENTS: usize = 20;

/// The namespace of LTV-SDO, without its version.
const LTV_SDO: &str = "https://id.signicat.com/definitions/xsd/LtvSdo-";

/// A verified technical signature: who signed which document, when and how, and who sealed that statement.
///
/// Returned by a XAdES download ([`Download::verified`](crate::Download::verified)) or from the attachments of a signed
/// PDF ([`Verified::evidence`](super::Verified::evidence)). In the format LTV-SDO, the organization that sealed it
/// states who signed. The plain format (XAdES over the files) names no person. Personal data has secret types, and
/// `Debug` does not show it.
///
/// ```
/// use posten_signering::verify::Evidence;
/// use posten_signering::Document;
/// use secrecy::ExposeSecret;
///
/// fn describe(evidence: &Evidence, sent: &Document) -> String {
///     let who = evidence.signer_name().map_or("somebody", |name| name.expose_secret());
///     let what = if evidence.concerns(sent) { "what was sent" } else { "something else" };
///     format!("{who} signed {what}, as {} states", evidence.sealed_by().subject())
/// }
/// ```
#[derive(Clone)]
pub struct Evidence {
    form: EvidenceForm,
    stated: Statement,
    sealed_by: CheckedSignature,
}

/// The format of a technical signature.
///
/// Example: see [`Evidence`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvidenceForm {
    /// A statement about signer and document, with the document inside, sealed as a whole.
    LtvSdo,
    /// A XAdES signature over the files.
    Xades,
}

/// Reads what a document would state as an LTV-SDO, for the fuzz targets: behind a signature, they do not get far.
#[cfg(all(feature = "sandbox", any(fuzzing, test)))]
pub(super) fn read_statement(bytes: &[u8]) {
    if let Ok(document) = xml::parse(bytes) {
        let _ = Statement::read(document.root_element());
    }
}

impl Evidence {
    /// Verifies a technical signature, as of a time.
    pub(super) fn verify(bytes: &[u8], trust: &SealTrust, at: Timestamp) -> Result<Self, VerificationError> {
        Self::read(bytes, |intact| Judge::new(trust, at).technical_signature(intact).map(Some))
    }

    /// Reads a technical signature without trust.
    pub(super) fn unverified(bytes: &[u8]) -> Result<Self, VerificationError> {
        Self::read(bytes, |_| Ok(None))
    }

    fn read(
        bytes: &[u8],
        judge: impl FnOnce(&Intact) -> Result<Option<SealFacts>, VerificationError>,
    ) -> Result<Self, VerificationError> {
        let document = xml::parse(bytes)?;
        let root = document.root_element();
        let (name, namespace) = (root.tag_name().name(), root.tag_name().namespace().unwrap_or_default());
        let form = match name {
            "LtvSdo" if namespace.starts_with(LTV_SDO) => EvidenceForm::LtvSdo,
            "XAdESSignatures" if namespace == ASIC => EvidenceForm::Xades,
            "Signature" if namespace == DS => EvidenceForm::Xades,
            // The error contains only the name of the element.
            _ => return Err(UnknownFormat(name.chars().take(40).filter(char::is_ascii_alphanumeric).collect())),
        };
        let signed = xml::signed(&document)?;
        let sealed = judge(&signed.intact)?;
        let sealed_by = CheckedSignature::of_xml(&signed.intact.signer, signed.time, sealed.as_ref());
        match form {
            EvidenceForm::LtvSdo => Self::ltv_sdo(root, &signed, sealed_by),
            EvidenceForm::Xades => Self::xades(&signed, sealed_by),
        }
    }

    fn xades(signed: &SignedXml, sealed_by: CheckedSignature) -> Result<Self, VerificationError> {
        let sha256: Vec<_> = signed.files.iter().map(|file| file.sha256).collect();
        if sha256.is_empty() {
            return Err(Malformed("it signs no file"));
        }
        let stated = Statement { time: signed.time, sha256, ..Statement::default() };
        Ok(Self { form: EvidenceForm::Xades, stated, sealed_by })
    }

    fn ltv_sdo(root: Node<'_, '_>, signed: &SignedXml, sealed_by: CheckedSignature) -> Result<Self, VerificationError> {
        if !signed.elements.contains(&root.id()) {
            return Err(Malformed("its seal does not cover it"));
        }
        let mut stated = Statement::read(root)?;
        stated.time = stated.time.or(signed.time);
        Ok(Self { form: EvidenceForm::LtvSdo, stated, sealed_by })
    }

    /// Returns the format.
    pub fn form(&self) -> EvidenceForm {
        self.form
    }

    /// Returns the name of the signer, if it is stated.
    pub fn signer_name(&self) -> Option<&SecretString> {
        self.stated.name.as_ref()
    }

    /// Returns the national identifier of the signer, if it is stated: in Norway the personal identification number.
    pub fn signer_national_id(&self) -> Option<&SecretString> {
        self.stated.identifier.as_ref()
    }

    /// Returns the identifier of the signer at the electronic ID, if it is stated.
    pub fn signer_unique_id(&self) -> Option<&SecretString> {
        self.stated.unique_id.as_ref()
    }

    /// Returns the nationality of the signer, if it is stated.
    pub fn signer_nationality(&self) -> Option<&SecretString> {
        self.stated.nationality.as_ref()
    }

    /// Returns the title of the document, if it is stated; of several documents that of the first.
    pub fn document_title(&self) -> Option<&SecretString> {
        self.stated.title.as_ref()
    }

    /// Returns the method of signing, as stated.
    pub fn method(&self) -> Option<&str> {
        self.stated.method.as_deref()
    }

    /// Returns the time of signing, as stated.
    pub fn time(&self) -> Option<Timestamp> {
        self.stated.time
    }

    /// Returns the SHA-256 digests of the documents, or of all signed files, including the manifest of a package.
    pub fn document_digests(&self) -> &[[u8; 32]] {
        &self.stated.sha256
    }

    /// Returns whether it is about this document, byte for byte. `false` if the document can no longer be read.
    pub fn concerns(&self, document: &Document) -> bool {
        document.bytes().is_ok_and(|content| self.stated.sha256.contains(&sha256(&content)))
    }

    /// Returns the seal of the organization that makes these statements.
    pub fn sealed_by(&self) -> &CheckedSignature {
        &self.sealed_by
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("form", &self.form)
            .field("time", &self.stated.time)
            .field("sealed_by", &self.sealed_by)
            .finish_non_exhaustive()
    }
}

/// The statements about signer and documents, verified or not.
#[derive(Clone, Default)]
struct Statement {
    name: Option<SecretString>,
    identifier: Option<SecretString>,
    unique_id: Option<SecretString>,
    nationality: Option<SecretString>,
    title: Option<SecretString>,
    method: Option<String>,
    time: Option<Timestamp>,
    sha256: Vec<[u8; 32]>,
}

impl Statement {
    fn read(root: Node<'_, '_>) -> Result<Self, VerificationError> {
        let namespace = root.tag_name().namespace().unwrap_or_default();
        let one = |of: Node<'_, '_>, name: &'static str| {
            let mut found = of.children().filter(|node| node.has_tag_name((namespace, name))).map(|node| node.id());
            match (found.next(), found.next()) {
                (Some(id), None) => Ok(id),
                _ => Err(Malformed("an element of the LTV-SDO is missing, or there twice")),
            }
        };
        let node = |id| root.document().get_node(id).ok_or(Malformed("an element of the LTV-SDO is missing"));
        let description = node(one(root, "Description")?)?;
        let signer = node(one(description, "SignerDescription")?)?;
        let abouts = description.children().filter(|node| node.has_tag_name((namespace, "DocumentDescription")));
        let abouts: Vec<_> = abouts.take(MAX_DOCUMENTS + 1).collect();
        if !(1..=MAX_DOCUMENTS).contains(&abouts.len()) {
            return Err(Malformed("the LTV-SDO describes no document, or too many"));
        }
        let signature = node(one(description, "SignatureDescription")?)?;
        let text = |of: Node<'_, '_>, name: &'static str| {
            let found = text_of(of.children().find(|node| node.tag_name().name() == name)?);
            let text = found.trim();
            (!text.is_empty() && text.len() < 4096).then(|| text.to_owned())
        };
        let secret = |of, name| text(of, name).map(SecretString::from);

        let mut stated = Vec::new();
        for about in &abouts {
            let digest = node(one(*about, "DocumentDigest")?)?;
            let is_sha256 = digest.attribute("alg").is_some_and(|alg| matches!(alg, "SHA-256" | "SHA256"));
            let value = STANDARD.decode(text_of(digest).trim()).ok();
            let value = value.and_then(|value| <[u8; 32]>::try_from(value).ok());
            stated.push(value.filter(|_| is_sha256).ok_or(Malformed("the document's digest in the LTV-SDO"))?);
        }
        let originals = root.children().filter(|node| node.has_tag_name((namespace, "OriginalDocument")));
        let originals: Vec<_> = originals.take(MAX_DOCUMENTS + 1).collect();
        if !originals.is_empty() && originals.len() != stated.len() {
            return Err(Malformed("the LTV-SDO does not describe each document that is in it"));
        }
        for (original, stated) in originals.iter().zip(&stated) {
            if digest_of_base64(&text_of(*original))? != *stated {
                return Err(Malformed("the document in the LTV-SDO has another digest than it states"));
            }
        }
        Ok(Self {
            name: secret(signer, "SignerDisplayName"),
            identifier: secret(signer, "SignerNationalId"),
            unique_id: secret(signer, "SignerUniqueId"),
            nationality: secret(signer, "SignerNationality"),
            title: secret(abouts[0], "DocumentTitle"),
            method: text(signature, "SignatureTypeFriendlyName"),
            time: text(signature, "SigningTime").and_then(|time| time.parse().ok()),
            sha256: stated,
        })
    }
}

/// SHA-256 of what base64 stands for, without holding it.
fn digest_of_base64(text: &str) -> Result<[u8; 32], VerificationError> {
    let mut context = Context::new(&SHA256);
    let (mut digits, mut plain) = (Vec::with_capacity(CHUNK), vec![0; CHUNK]);
    let mut decode = |digits: &mut Vec<u8>| {
        let length =
            STANDARD.decode_slice(&*digits, &mut plain).map_err(|_| Malformed("the document in the LTV-SDO"))?;
        context.update(&plain[..length]);
        digits.clear();
        Ok(())
    };
    for digit in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        digits.push(digit);
        if digits.len() == CHUNK {
            decode(&mut digits)?;
        }
    }
    decode(&mut digits)?;
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Ok(digest)
}

/// A multiple of four digits.
const CHUNK: usize = 64 * 1024;
