//! Documents that are sealed as they should be, or nearly, and cost much: timestamps by the dozen, revocation values by
//! the megabyte, certificates that fit each other in all ways.
//!
//! Certificates, lists, responses and CMS are written here in DER, because the libraries that make them do not make
//! hundreds of thousands of anything.
//!
//! Longer than 400 lines: half of it writes what is signed, and half is the list of documents.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fmt::Write as _;

use aws_lc_rs::digest::{Algorithm, SHA256, SHA512, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::hostile::{Hostile, MB, deflated, stream};

/// Who seals all of them (O).
pub const SEALER: &str = "Dear AS";

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47];
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const SHA_512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const OCSP_BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let digits = content.len().to_be_bytes();
    let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
    if content.len() >= 0x80 {
        out.push(0x80 | u8::try_from(digits.len()).unwrap());
        out.extend(digits);
    } else {
        out.push(u8::try_from(content.len()).unwrap());
    }
    out.extend(content);
    out
}

fn all(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    tlv(tag, &parts.concat())
}

fn oid(bytes: &[u8]) -> Vec<u8> {
    tlv(6, bytes)
}

fn number(value: u64) -> Vec<u8> {
    let digits = value.to_be_bytes();
    let digits = &digits[digits.iter().take(7).take_while(|digit| **digit == 0).count()..];
    // Not negative.
    let sign: &[u8] = if digits[0] < 0x80 { &[] } else { &[0] };
    all(INTEGER, &[sign, digits])
}

fn algorithm(bytes: &[u8]) -> Vec<u8> {
    all(SEQUENCE, &[&oid(bytes)])
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    all(3, &[&[0], bytes])
}

pub struct Key(EcdsaKeyPair);

impl Key {
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    /// As in XML: two numbers of 32 bytes.
    fn sign_fixed(&self, message: &[u8]) -> Vec<u8> {
        let der = self.sign(message);
        let mut rest = &der[2..];
        let mut out = Vec::new();
        for _ in 0..2 {
            let (number, after) = rest[2..].split_at(usize::from(rest[1]));
            let number: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
            out.extend(vec![0; 32 - number.len()]);
            out.extend(number);
            rest = after;
        }
        out
    }

    fn point(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// Content, algorithm and signature, as in certificates, lists and responses.
    fn signed(&self, content: &[u8], more: &[u8]) -> Vec<u8> {
        all(SEQUENCE, &[content, &algorithm(ECDSA_SHA256), &bits(&self.sign(content)), more])
    }
}

/// What a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum For {
    Authority,
    Documents,
    Timestamps,
    Responses,
}

pub struct Issued {
    pub der: Vec<u8>,
    name: Vec<u8>,
    serial: u64,
    key: std::rc::Rc<Key>,
}

impl Issued {
    pub fn root() -> Self {
        let key = std::rc::Rc::new(Key::new());
        certificate("Dear root", 1, &key, For::Authority, &name("Dear root"), &key)
    }

    pub fn issue(&self, common: &str, serial: u64, purpose: For) -> Self {
        certificate(common, serial, &std::rc::Rc::new(Key::new()), purpose, &self.name, &self.key)
    }

    pub fn pem(&self) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(&self.der))
    }

    /// A list with so many entries, of serial numbers from here on, which nobody has.
    pub fn list(&self, entries: u64, from: u64) -> Vec<u8> {
        let mut revoked = Vec::new();
        for serial in from..from + entries {
            revoked.extend(all(SEQUENCE, &[&number(serial), &time("20250101000000Z")]));
        }
        let times = [time("20250701000000Z"), time("20460101000000Z")].concat();
        let version = number(1);
        let parts: [&[u8]; 5] = [&version, &algorithm(ECDSA_SHA256), &self.name, &times, &tlv(SEQUENCE, &revoked)];
        self.key.signed(&all(SEQUENCE, &parts), &[])
    }

    /// An OCSP response about these, with certificates, signed by this key.
    pub fn response(&self, about: &[&Self], by: &Key, certificates: &[&Self]) -> Vec<u8> {
        let sha256 = |bytes: &[u8]| tlv(OCTETS, digest(&SHA256, bytes).as_ref());
        let mut singles = Vec::new();
        for one in about {
            let (issuer, key) = (sha256(&self.name), sha256(self.key.point()));
            let id = all(SEQUENCE, &[&algorithm(SHA_256), &issuer, &key, &number(one.serial)]);
            let next = tlv(0xa0, &time("20460101000000Z"));
            singles.extend(all(SEQUENCE, &[&id, &tlv(0x80, &[]), &time("20250701000000Z"), &next]));
        }
        let by_name = tlv(0xa1, &self.name);
        let content = all(SEQUENCE, &[&by_name, &time("20250701000000Z"), &tlv(SEQUENCE, &singles)]);
        let brought: Vec<u8> = certificates.iter().flat_map(|one| one.der.clone()).collect();
        let brought = if brought.is_empty() { brought } else { tlv(0xa0, &tlv(SEQUENCE, &brought)) };
        let basic = tlv(OCTETS, &by.signed(&content, &brought));
        let bytes = tlv(0xa0, &all(SEQUENCE, &[&oid(OCSP_BASIC), &basic]));
        all(SEQUENCE, &[&tlv(0x0a, &[0]), &bytes])
    }
}

fn time(text: &str) -> Vec<u8> {
    tlv(0x18, text.as_bytes())
}

fn name(common: &str) -> Vec<u8> {
    let part = |kind: u8, text: &str| {
        let text = tlv(0x0c, text.as_bytes());
        tlv(SET, &all(SEQUENCE, &[&oid(&[0x55, 4, kind]), &text]))
    };
    all(SEQUENCE, &[&part(10, SEALER), &part(3, common)])
}

pub fn certificate(common: &str, serial: u64, key: &std::rc::Rc<Key>, purpose: For, issuer: &[u8], by: &Key) -> Issued {
    let extension = |kind: u8, value: &[u8]| {
        let critical = tlv(1, &[0xff]);
        all(SEQUENCE, &[&oid(&[0x55, 0x1d, kind]), &critical, &tlv(OCTETS, value)])
    };
    let usage: &[u8] = if purpose == For::Authority { &[1, 6] } else { &[7, 0x80] };
    let mut extensions = extension(15, &tlv(3, usage));
    extensions.extend(match purpose {
        For::Authority => extension(19, &tlv(SEQUENCE, &tlv(1, &[0xff]))),
        For::Documents => Vec::new(),
        For::Timestamps => extension(37, &tlv(SEQUENCE, &oid(TIME_STAMPING))),
        For::Responses => extension(37, &tlv(SEQUENCE, &oid(OCSP_SIGNING))),
    });
    let own = name(common);
    let validity = all(SEQUENCE, &[&time("20200101000000Z"), &time("20450101000000Z")]);
    let public = all(SEQUENCE, &[&all(SEQUENCE, &[&oid(EC_KEY), &oid(P256)]), &bits(key.point())]);
    let extensions = tlv(0xa3, &tlv(SEQUENCE, &extensions));
    let version = tlv(0xa0, &number(2));
    let ecdsa = algorithm(ECDSA_SHA256);
    let parts: [&[u8]; 8] = [&version, &number(serial), &ecdsa, issuer, &validity, &own, &public, &extensions];
    let der = by.signed(&all(SEQUENCE, &parts), &[]);
    Issued { der, name: own, serial, key: std::rc::Rc::clone(key) }
}

/// A CMS by this signer, with certificates and lists. With `content`, that is inside.
fn cms(
    signer: &Issued,
    digested: &[u8],
    content: Option<&[u8]>,
    certificates: &[&Issued],
    lists: &[Vec<u8>],
) -> Vec<u8> {
    let kind = if content.is_some() { TST_INFO } else { DATA };
    let attribute = |kind: &[u8], value: &[u8]| all(SEQUENCE, &[&oid(kind), &tlv(SET, value)]);
    let named = tlv(OCTETS, digest(&SHA256, &signer.der).as_ref());
    let named = tlv(SEQUENCE, &tlv(SEQUENCE, &tlv(SEQUENCE, &named)));
    let attributes = [
        attribute(CONTENT_TYPE, &oid(kind)),
        attribute(MESSAGE_DIGEST, &tlv(OCTETS, digested)),
        attribute(SIGNING_CERTIFICATE_V2, &named),
    ]
    .concat();
    let value = tlv(OCTETS, &signer.key.sign(&tlv(SET, &attributes)));
    // All of them are issued by who is next to them in the list.
    let issuer = certificates.get(1).map_or(&signer.name, |issuer| &issuer.name);
    let sid = all(SEQUENCE, &[issuer, &number(signer.serial)]);
    let (sha256, ecdsa) = (algorithm(SHA_256), algorithm(ECDSA_SHA256));
    let info = all(SEQUENCE, &[&number(1), &sid, &sha256, &tlv(0xa0, &attributes), &ecdsa, &value]);
    let content = content.map_or_else(Vec::new, |content| tlv(0xa0, &tlv(OCTETS, content)));
    let certificates: Vec<u8> = certificates.iter().flat_map(|one| one.der.clone()).collect();
    let lists = if lists.is_empty() { Vec::new() } else { tlv(0xa1, &lists.concat()) };
    let data = all(
        SEQUENCE,
        &[
            &number(3),
            &tlv(SET, &sha256),
            &all(SEQUENCE, &[&oid(kind), &content]),
            &tlv(0xa0, &certificates),
            &lists,
            &tlv(SET, &info),
        ],
    );
    all(SEQUENCE, &[&oid(SIGNED_DATA), &tlv(0xa0, &data)])
}

/// A PDF that grows.
pub struct Growing {
    pub bytes: Vec<u8>,
    last: usize,
    next: u32,
    fields: String,
}

impl Growing {
    /// With a catalog 1, a form 2, and these objects from 3 on.
    pub fn new(catalog: &str, objects: &[Vec<u8>]) -> Self {
        let catalog = format!("<< /Type /Catalog /AcroForm 2 0 R {catalog} >>").into_bytes();
        let mut given = vec![catalog, b"<< /Fields [] /SigFlags 3 >>".to_vec()];
        given.extend(objects.iter().cloned());
        let bytes = super::hostile::written(&given);
        let last = start_of(&bytes);
        Self { bytes, last, next: u32::try_from(given.len()).unwrap() + 1, fields: String::new() }
    }

    /// The number of the next new object.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Adds a revision with these objects.
    pub fn update(&mut self, objects: &[(u32, Vec<u8>)]) {
        let mut table = "xref\n".to_owned();
        for (number, content) in objects {
            let _ = write!(table, "{number} 1\n{:010} 00000 n \n", self.bytes.len());
            self.bytes.extend(format!("{number} 0 obj\n").bytes());
            self.bytes.extend(content);
            self.bytes.extend(b"\nendobj\n");
            self.next = self.next.max(number + 1);
        }
        let (start, size, last) = (self.bytes.len(), self.next, self.last);
        table += &format!("trailer\n<< /Root 1 0 R /Size {size} /Prev {last} >>\nstartxref\n{start}\n%%EOF\n");
        self.bytes.extend(table.bytes());
        self.last = start;
    }

    /// Adds a revision with these bytes as cross-references and trailer.
    pub fn section(&mut self, section: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend(section);
        self.bytes.extend(format!("startxref\n{start}\n%%EOF\n").bytes());
        self.last = start;
    }

    pub fn last(&self) -> usize {
        self.last
    }

    /// Adds a signature in a field of its own, of at most so many bytes.
    fn signature(&mut self, kind: &str, size: usize, make: impl FnOnce([&[u8]; 2]) -> Vec<u8>) {
        const RANGE: &str = "[0 9999999999 9999999999 9999999999]";
        let (field, value) = (self.next, self.next + 1);
        let _ = write!(self.fields, "{field} 0 R ");
        let form = format!("<< /Fields [{}] /SigFlags 3 >>", self.fields);
        let own = format!("<< /FT /Sig /T (F{field}) /V {value} 0 R >>");
        let digits = "0".repeat(2 * size);
        let signature = format!("<< /SubFilter /{kind} /ByteRange {RANGE} /Contents <{digits}> >>");
        let before = self.bytes.len();
        self.update(&[(2, form.into_bytes()), (field, own.into_bytes()), (value, signature.into_bytes())]);
        let find = |bytes: &[u8], what: &[u8]| {
            before + bytes[before..].windows(what.len()).position(|window| window == what).unwrap()
        };
        let range = find(&self.bytes, RANGE.as_bytes());
        let start = find(&self.bytes, b"/Contents <") + b"/Contents ".len();
        let end = start + digits.len() + 2;
        let filled = format!("[0 {start} {end} {}]", self.bytes.len() - end);
        self.bytes[range..range + RANGE.len()]
            .copy_from_slice(format!("{filled:<width$}", width = RANGE.len()).as_bytes());
        let made = make([&self.bytes[..start], &self.bytes[end..]]);
        assert!(made.len() <= size, "{} bytes", made.len());
        for (place, byte) in self.bytes[start + 1..].chunks_exact_mut(2).zip(&made) {
            let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
            place.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
    }

    pub fn seal(&mut self, signer: &Issued, certificates: &[&Issued]) {
        self.signature("ETSI.CAdES.detached", 8_000 + 1_000 * certificates.len(), |covered| {
            cms(signer, digest(&SHA256, &covered.concat()).as_ref(), None, certificates, &[])
        });
    }

    /// Adds a timestamp, with lists in it, by a digest of this algorithm.
    pub fn timestamp(&mut self, by: &Issued, certificates: &[&Issued], lists: &[Vec<u8>], hash: &'static Algorithm) {
        let size: usize = lists.iter().map(Vec::len).sum();
        self.signature("ETSI.RFC3161", size + 4_000 + 1_000 * certificates.len(), |covered| {
            let imprint = tlv(OCTETS, digest(hash, &covered.concat()).as_ref());
            let hash = algorithm(if *hash == SHA512 { SHA_512 } else { SHA_256 });
            let imprint = all(SEQUENCE, &[&hash, &imprint]);
            let policy = oid(&[0x2a, 3]);
            let made = time("20250601000000Z");
            let info = all(SEQUENCE, &[&number(1), &policy, &imprint, &number(7), &made]);
            cms(by, digest(&SHA256, &info).as_ref(), Some(&info), certificates, lists)
        });
    }
}

fn start_of(bytes: &[u8]) -> usize {
    let word = b"startxref\n";
    let at = bytes.windows(word.len()).rposition(|window| window == word).unwrap() + word.len();
    std::str::from_utf8(&bytes[at..]).unwrap().lines().next().unwrap().parse().unwrap()
}

/// A root with an issuing authority, a sealer and so many authorities of timestamps.
struct World {
    root: Issued,
    ca: Issued,
    sealer: Issued,
    stamps: Vec<Issued>,
}

impl World {
    fn new(stamps: u64) -> Self {
        let root = Issued::root();
        let ca = root.issue("Dear authority", 2, For::Authority);
        let sealer = ca.issue("Seal", 3, For::Documents);
        let stamps = (0..stamps).map(|at| ca.issue(&format!("TSA {at}"), 100 + at, For::Timestamps)).collect();
        Self { root, ca, sealer, stamps }
    }

    fn sealed(&self, pdf: &mut Growing) {
        pdf.seal(&self.sealer, &[&self.sealer, &self.ca]);
    }

    fn stamped(&self, pdf: &mut Growing, lists: impl Fn(u64) -> Vec<Vec<u8>>, hash: &'static Algorithm) {
        for (at, by) in (0..).zip(&self.stamps) {
            pdf.timestamp(by, &[by, &self.ca], &lists(at), hash);
        }
    }

    fn done(&self, what: &'static str, pdf: Growing) -> Hostile {
        Hostile { what, bytes: pdf.bytes, trust: Some(self.root.pem()) }
    }
}

/// A document security store as an update.
fn store(pdf: &mut Growing, certificates: &[Vec<u8>], lists: &[Vec<u8>], responses: &[Vec<u8>], more: &str) {
    let mut objects = Vec::new();
    let mut next = pdf.next();
    let mut listed = |values: &[Vec<u8>]| {
        let mut text = String::new();
        for value in values {
            objects.push((next, stream("/Filter /FlateDecode", &deflated(value))));
            let _ = write!(text, "{next} 0 R ");
            next += 1;
        }
        text
    };
    let (certificates, lists, responses) = (listed(certificates), listed(lists), listed(responses));
    let catalog = format!(
        "<< /Type /Catalog /AcroForm 2 0 R /DSS << /Certs [{certificates}] /CRLs [{lists}] /OCSPs [{responses}] {more} \
         >> >>"
    );
    objects.push((1, catalog.into_bytes()));
    objects.sort_by_key(|(number, _)| *number);
    pdf.update(&objects);
}

/// PDFs of at most 20 MB.
pub fn pdfs() -> Vec<Hostile> {
    vec![
        lists_in_timestamps(),
        lists_in_store(),
        large_and_stamped(),
        one_long_list(),
        certificates_of_one_name(),
        responses_by_nobody(),
        responses_of_one_number(),
        related_values(),
        names_in_a_circle(),
        free_entries(),
        references(),
    ]
}

/// Technical signatures of at most 20 MB.
pub fn xmls() -> Vec<Hostile> {
    vec![certificates_in_xml(), namespaces_in_scope()]
}

fn lists_in_timestamps() -> Hostile {
    let world = World::new(63);
    let mut pdf = Growing::new("", &[]);
    world.sealed(&mut pdf);
    world.stamped(&mut pdf, |at| vec![world.ca.list(5_000, 1_000_000 * (at + 1))], &SHA256);
    world.done("63 timestamps with a list of 140 kB in each", pdf)
}

fn lists_in_store() -> Hostile {
    let world = World::new(63);
    let mut pdf = Growing::new("", &[]);
    world.sealed(&mut pdf);
    let lists: Vec<_> = (0..30).map(|at| world.ca.list(36_000, 1_000_000 * (at + 1))).collect();
    store(&mut pdf, &[], &lists, &[], "");
    world.stamped(&mut pdf, |_| Vec::new(), &SHA256);
    world.done("63 timestamps, and 30 lists of 1 MB in the store", pdf)
}

fn large_and_stamped() -> Hostile {
    let world = World::new(63);
    let mut pdf = Growing::new("", &[stream("", &vec![b' '; 18 * MB])]);
    world.sealed(&mut pdf);
    world.stamped(&mut pdf, |_| Vec::new(), &SHA512);
    world.done("63 timestamps over 18 MB, with SHA-512", pdf)
}

fn one_long_list() -> Hostile {
    let world = World::new(63);
    let mut pdf = Growing::new("", &[]);
    world.sealed(&mut pdf);
    store(&mut pdf, &[], &[world.ca.list(1_000_000, 1 << 40)], &[], "");
    world.stamped(&mut pdf, |_| Vec::new(), &SHA256);
    world.done("63 timestamps, and a list of 1 000 000 entries", pdf)
}

/// Each of them may have issued each other.
fn certificates_of_one_name() -> Hostile {
    let world = World::new(0);
    let key = std::rc::Rc::new(Key::new());
    let same = name("Same");
    let all: Vec<_> = (0..500).map(|at| certificate("Same", at + 1_000, &key, For::Authority, &same, &key)).collect();
    let mut pdf = Growing::new("", &[]);
    let sealer = certificate("Seal", 3, &key, For::Documents, &same, &key);
    pdf.seal(&sealer, &[&sealer, &all[0]]);
    let ders: Vec<_> = all.iter().map(|one| one.der.clone()).collect();
    store(&mut pdf, &ders, &[], &[], "");
    for at in 0..60_u64 {
        let by = certificate(&format!("TSA {at}"), at + 10, &key, For::Timestamps, &same, &key);
        pdf.timestamp(&by, &[&by, &all[0]], &[], &SHA256);
    }
    world.done("500 authorities of one name and key, and 60 timestamps", pdf)
}

/// Responses about the sealer that are signed by a key that nobody has, each with responders of its own.
fn responses_by_nobody() -> Hostile {
    let world = World::new(63);
    let mut pdf = Growing::new("", &[]);
    world.sealed(&mut pdf);
    let responders: Vec<_> = (0..16).map(|at| world.ca.issue(&format!("R {at}"), 500 + at, For::Responses)).collect();
    let responders: Vec<_> = responders.iter().collect();
    let about: Vec<_> = [&world.sealer].into_iter().chain(&world.stamps).collect();
    let nobody = Key::new();
    let responses: Vec<_> = (0..990).map(|_| world.ca.response(&about, &nobody, &responders)).collect();
    store(&mut pdf, &[], &[], &responses, "");
    world.stamped(&mut pdf, |_| Vec::new(), &SHA256);
    world.done("990 OCSP responses by nobody, with 16 responders each", pdf)
}

/// Statuses of the sealer's number, of other issuers.
fn responses_of_one_number() -> Hostile {
    let world = World::new(63);
    let mut pdf = Growing::new("", &[]);
    world.sealed(&mut pdf);
    let other = Issued::root();
    let twin = other.issue("Twin", 3, For::Documents);
    let about = vec![&twin; 220];
    let responses: Vec<_> = (0..990).map(|_| other.response(&about, &other.key, &[])).collect();
    store(&mut pdf, &[], &[], &responses, "");
    world.stamped(&mut pdf, |_| Vec::new(), &SHA256);
    world.done("990 OCSP responses with 220 statuses of one number", pdf)
}

fn related_values() -> Hostile {
    let world = World::new(2);
    let mut pdf = Growing::new("", &[]);
    world.sealed(&mut pdf);
    let related: String = (0..40_000).map(|at| format!("/V{at} << /CRL [9 0 R] /TU (x) >> ")).collect();
    store(&mut pdf, &[], &[world.ca.list(9, 900)], &[], &format!("/VRI << {related} >>"));
    world.stamped(&mut pdf, |_| Vec::new(), &SHA256);
    world.done("a store with 40 000 related values", pdf)
}

fn names_in_a_circle() -> Hostile {
    let world = World::new(2);
    let kids: String = (4..5_004).map(|number| format!("{number} 0 R ")).collect();
    let mut objects = vec![format!("<< /Kids [{kids}] >>").into_bytes()];
    objects.extend((0..5_000).map(|_| b"<< /Kids 5004 0 R /Names [(a) 3 0 R (b) 4 0 R] >>".to_vec()));
    objects.push(format!("[{kids} 3 0 R]").into_bytes());
    let mut pdf = Growing::new("/Names << /EmbeddedFiles 3 0 R >>", &objects);
    world.sealed(&mut pdf);
    world.stamped(&mut pdf, |_| Vec::new(), &SHA256);
    world.done("a tree of 5 000 names in a circle", pdf)
}

/// Behind the seal, cross-references of nothing, and hundreds of revisions before it.
fn free_entries() -> Hostile {
    let world = World::new(0);
    let mut pdf = Growing::new("", &[]);
    for _ in 0..240 {
        pdf.update(&[(2, b"<< /Fields [] /SigFlags 3 >>".to_vec())]);
    }
    world.sealed(&mut pdf);
    let (last, number) = (pdf.last(), pdf.next());
    let entries = stream(
        &format!(
            "/Type /XRef /Root 1 0 R /W [1 1 1] /Size 900000 /Index [1000 899000] /Prev {last} /Filter /FlateDecode"
        ),
        &deflated(&vec![0; 3 * 899_000]),
    );
    let section = [format!("{number} 0 obj\n").as_bytes(), &entries, b"\nendobj\n"].concat();
    pdf.section(&section);
    world.done("240 revisions, and 900 000 free entries behind the seal", pdf)
}

/// Object streams full of references to nothing, which are looked at because something follows the seal.
fn references() -> Hostile {
    let world = World::new(1);
    let mut packed = Vec::new();
    let mut rows = Vec::new();
    for at in 0..24_u32 {
        let many: String = (0..100_000).map(|one| format!("{} 0 R ", 1_000_000 + at * 100_000 + one)).collect();
        let index = format!("{} 0 ", 500 + at);
        let dictionary = format!("/Type /ObjStm /N 1 /First {} /Filter /FlateDecode", index.len());
        packed.push(stream(&dictionary, &deflated(format!("{index}[{many}]").as_bytes())));
        rows.extend([2, 0, u8::try_from(3 + at).unwrap(), 0]);
    }
    let mut pdf = Growing::new("", &packed);
    let last = pdf.last();
    let entries = stream(&format!("/Type /XRef /Root 1 0 R /W [1 2 1] /Size 600 /Index [500 24] /Prev {last}"), &rows);
    pdf.section(&[b"599 0 obj\n".as_slice(), &entries, b"\nendobj\n"].concat());
    world.sealed(&mut pdf);
    world.stamped(&mut pdf, |_| Vec::new(), &SHA256);
    world.done("2 400 000 references to nothing", pdf)
}

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

/// An LTV-SDO without a statement, sealed by somebody, in canonical form.
fn sdo(world: &World, namespaces: &str, inside: &str, references: usize, unsigned: &str) -> Hostile {
    let sha256 = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let spaces = format!(
        "xmlns=\"https://id.signicat.com/definitions/xsd/LtvSdo-2.5\" xmlns:ds=\"{DS}\"{namespaces} xmlns:xades=\"{XADES}\""
    );
    let method = "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>";
    let named = STANDARD.encode(digest(&SHA256, &world.sealer.der));
    let properties = format!(
        "<xades:SignedSignatureProperties><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>{method}\
         <ds:DigestValue>{named}</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2>\
         </xades:SignedSignatureProperties>"
    );
    let whole = sha256(&format!("<LtvSdo {spaces}>{inside}</LtvSdo>"));
    let reference = format!(
        "<ds:Reference URI=\"\"><ds:Transforms><ds:Transform Algorithm=\"{DS}enveloped-signature\"></ds:Transform>\
         </ds:Transforms>{method}<ds:DigestValue>{whole}</ds:DigestValue></ds:Reference>"
    );
    let own = sha256(&format!("<xades:SignedProperties {spaces} Id=\"P\">{properties}</xades:SignedProperties>"));
    let info = format!(
        "<ds:CanonicalizationMethod Algorithm=\"{C14N}\"></ds:CanonicalizationMethod><ds:SignatureMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"></ds:SignatureMethod>{}<ds:Reference \
         URI=\"#P\"><ds:Transforms><ds:Transform Algorithm=\"{C14N}\"></ds:Transform></ds:Transforms>{method}\
         <ds:DigestValue>{own}</ds:DigestValue></ds:Reference>",
        reference.repeat(references)
    );
    let value = world.sealer.key.sign_fixed(format!("<ds:SignedInfo {spaces}>{info}</ds:SignedInfo>").as_bytes());
    let text = format!(
        "<LtvSdo {spaces}>{inside}<ds:Signature><ds:SignedInfo>{info}</ds:SignedInfo><ds:SignatureValue>{}\
         </ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>\
         </ds:KeyInfo><ds:Object><xades:QualifyingProperties><xades:SignedProperties Id=\"P\">{properties}\
         </xades:SignedProperties>{unsigned}</xades:QualifyingProperties></ds:Object></ds:Signature></LtvSdo>",
        STANDARD.encode(value),
        STANDARD.encode(&world.sealer.der),
    );
    Hostile { what: "", bytes: text.into_bytes(), trust: Some(world.root.pem()) }
}

fn certificates_in_xml() -> Hostile {
    let world = World::new(0);
    let key = std::rc::Rc::new(Key::new());
    let ca = world.ca.name.clone();
    let mut brought = String::new();
    for at in 0..10_000_u64 {
        // All of them are named as the issuer of the seal.
        let one = certificate("Dear authority", 5_000 + at, &key, For::Authority, &ca, &key);
        let one = STANDARD.encode(&one.der);
        let _ = write!(brought, "<xades:EncapsulatedX509Certificate>{one}</xades:EncapsulatedX509Certificate>");
    }
    for _ in 0..1_500 {
        let response = STANDARD.encode(world.ca.response(&[&world.sealer], &key, &[]));
        let _ = write!(brought, "<xades:EncapsulatedOCSPValue>{response}</xades:EncapsulatedOCSPValue>");
    }
    let made =
        sdo(&world, "", "<A></A>", 1, &format!("<xades:UnsignedProperties>{brought}</xades:UnsignedProperties>"));
    Hostile { what: "10 000 certificates and 1 500 OCSP responses", ..made }
}

fn namespaces_in_scope() -> Hostile {
    let world = World::new(0);
    let namespaces: String = (10..97).map(|at| format!(" xmlns:n{at}=\"u\"")).collect();
    let made = sdo(&world, &namespaces, &"<A></A>".repeat(90_000), 40, "");
    Hostile { what: "40 references to 90 000 elements with 90 namespaces", ..made }
}
