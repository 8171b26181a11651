//! The signed document: a front page, the documents, the signers' XAdES as attachments, and one signature over all.

use bytes::Bytes;
use jiff::Timestamp;
use lopdf::{Dictionary, Document as Pdf, Object, ObjectId, Stream, StringFormat, dictionary};

use super::cms;
use crate::identity::Identity;
use crate::types::{Documents, MediaType};

/// Room for the signature, in bytes: three certificates and what goes with them.
const SIGNATURE_ROOM: usize = 12 * 1024;

/// What stands for the offsets until they are known: as wide as any of a file below ten gigabytes.
const UNKNOWN: i64 = 9_999_999_999;

/// A4, in points.
const PAGE: [i64; 4] = [0, 0, 595, 842];

/// What the front page says of a signer, and the signature that is attached.
pub(super) struct SignedBy {
    pub(super) name: String,
    pub(super) at: Timestamp,
    pub(super) xades: Bytes,
}

/// Makes the PAdES of a job.
pub(super) fn pades(
    title: &str,
    (documents, names): (&Documents, &[String]),
    signers: &[SignedBy],
    identity: &Identity,
    now: Timestamp,
) -> Result<Vec<u8>, String> {
    let mut book = Book::new();
    book.front_page(title, documents, signers);
    for (document, name) in documents.iter().zip(names) {
        let content = document.bytes().map_err(|error| error.to_string())?;
        // A file that only its header makes a PDF was accepted all the same: then it is attached.
        let taken = document.media_type() == MediaType::Pdf && book.append(&content).is_ok();
        if !taken {
            book.text_page(&["This document is attached:", document.title().as_str(), name]);
            book.attach(name, &content);
        }
    }
    for (at, signer) in signers.iter().enumerate() {
        book.attach(&format!("xades-{}.xml", at + 1), &signer.xades);
    }
    sign(book.finish(now)?, identity)
}

/// A PDF that grows.
struct Book {
    pdf: Pdf,
    pages: ObjectId,
    kids: Vec<Object>,
    font: ObjectId,
    attachments: Vec<(String, ObjectId)>,
}

impl Book {
    fn new() -> Self {
        let mut pdf = Pdf::with_version("1.7");
        let pages = pdf.new_object_id();
        let font = pdf.add_object(dictionary! {
            "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
        });
        Self { pdf, pages, kids: Vec::new(), font, attachments: Vec::new() }
    }

    fn front_page(&mut self, title: &str, documents: &Documents, signers: &[SignedBy]) {
        let mut lines = vec!["Signert i sandkassen for Posten signering".to_owned(), title.to_owned(), String::new()];
        lines.push("Dokumenter:".to_owned());
        lines.extend(documents.iter().map(|document| format!("    {}", document.title().as_str())));
        lines.push(String::new());
        lines.push("Signert av:".to_owned());
        lines.extend(
            signers
                .iter()
                .map(|signer| format!("    {}, {}", signer.name, signer.at.strftime("%Y-%m-%d %H:%M:%S UTC"))),
        );
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        self.text_page(&lines);
    }

    fn text_page(&mut self, lines: &[&str]) {
        let mut content = b"BT /F1 11 Tf 15 TL 60 780 Td\n".to_vec();
        for line in lines {
            content.push(b'(');
            content.extend(line.chars().flat_map(win_ansi));
            content.extend_from_slice(b") Tj T*\n");
        }
        content.extend_from_slice(b"ET");
        let content = self.pdf.add_object(Stream::new(Dictionary::new(), content));
        let page = self.pdf.add_object(dictionary! {
            "Type" => "Page",
            "Parent" => self.pages,
            "MediaBox" => PAGE.iter().map(|side| Object::from(*side)).collect::<Vec<_>>(),
            "Contents" => content,
            "Resources" => dictionary! { "Font" => dictionary! { "F1" => self.font } },
        });
        self.kids.push(page.into());
    }

    /// Takes the pages of a PDF over.
    fn append(&mut self, content: &[u8]) -> Result<(), ()> {
        let mut other = Pdf::load_mem(content).map_err(drop)?;
        other.renumber_objects_with(self.pdf.max_id + 1);
        let pages: Vec<ObjectId> = other.get_pages().into_values().collect();
        if pages.is_empty() {
            return Err(());
        }
        for id in &pages {
            // What a page inherits from the tree it leaves goes with it (ISO 32000-1, 7.7.3.4).
            let inherited: Vec<(&[u8], Object)> = [b"Resources".as_slice(), b"MediaBox", b"CropBox", b"Rotate"]
                .into_iter()
                .filter_map(|key| Some((key, inherited(&other, *id, key)?)))
                .collect();
            let page = other.get_dictionary_mut(*id).map_err(drop)?;
            for (key, value) in inherited {
                page.set(key, value);
            }
            page.set("Parent", self.pages);
            self.kids.push((*id).into());
        }
        self.pdf.max_id = other.max_id;
        self.pdf.objects.extend(other.objects);
        Ok(())
    }

    fn attach(&mut self, name: &str, content: &[u8]) {
        let length = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let file = Stream::new(
            dictionary! { "Type" => "EmbeddedFile", "Params" => dictionary! { "Size" => length } },
            content.to_vec(),
        );
        let file = self.pdf.add_object(file);
        let specification = self.pdf.add_object(dictionary! {
            "Type" => "Filespec",
            "F" => Object::string_literal(name),
            "UF" => Object::string_literal(name),
            "EF" => dictionary! { "F" => file },
            "AFRelationship" => "Supplement",
        });
        self.attachments.push((name.to_owned(), specification));
    }

    /// Closes the book, with an empty signature in it.
    fn finish(mut self, now: Timestamp) -> Result<Vec<u8>, String> {
        let pdf = &mut self.pdf;
        let offsets = [0, UNKNOWN, UNKNOWN, UNKNOWN].map(Object::from).to_vec();
        let signature = pdf.add_object(dictionary! {
            "Type" => "Sig",
            "Filter" => "Adobe.PPKLite",
            "SubFilter" => "ETSI.CAdES.detached",
            "ByteRange" => offsets,
            "Contents" => Object::String(vec![0; SIGNATURE_ROOM], StringFormat::Hexadecimal),
            "M" => Object::string_literal(now.strftime("D:%Y%m%d%H%M%SZ").to_string()),
        });
        let first = self.kids.first().cloned().unwrap_or(Object::Null);
        let field = pdf.add_object(dictionary! {
            "Type" => "Annot", "Subtype" => "Widget", "FT" => "Sig", "T" => Object::string_literal("Signature1"),
            "V" => signature, "P" => first.clone(), "F" => 132,
            "Rect" => [0, 0, 0, 0].map(Object::from).to_vec(),
        });
        if let Ok(id) = first.as_reference()
            && let Ok(page) = pdf.get_dictionary_mut(id)
        {
            page.set("Annots", vec![field.into()]);
        }
        let count = i64::try_from(self.kids.len()).unwrap_or(i64::MAX);
        pdf.objects.insert(self.pages, dictionary! { "Type" => "Pages", "Kids" => self.kids, "Count" => count }.into());
        // A name tree is sorted by name.
        self.attachments.sort();
        let specifications: Vec<Object> = self.attachments.iter().map(|(_, id)| (*id).into()).collect();
        let names: Vec<Object> = self
            .attachments
            .iter()
            .flat_map(|(name, id)| [Object::string_literal(name.as_str()), (*id).into()])
            .collect();
        let catalog = pdf.add_object(dictionary! {
            "Type" => "Catalog",
            "Pages" => self.pages,
            "Names" => dictionary! { "EmbeddedFiles" => dictionary! { "Names" => names } },
            "AF" => specifications,
            "AcroForm" => dictionary! { "Fields" => vec![field.into()], "SigFlags" => 3 },
        });
        pdf.trailer.set("Root", catalog);
        // What nothing refers to any more: the page trees and catalogs that the documents came with.
        pdf.prune_objects();
        let mut bytes = Vec::new();
        pdf.save_to(&mut bytes).map_err(|error| format!("the PDF cannot be written: {error}"))?;
        Ok(bytes)
    }
}

/// A key of a page, or of the nearest node above it that has it.
fn inherited(pdf: &Pdf, page: ObjectId, key: &[u8]) -> Option<Object> {
    let mut id = page;
    // A tree deeper than this is a loop.
    for _ in 0..32 {
        let node = pdf.get_dictionary(id).ok()?;
        if let Ok(value) = node.get(key) {
            return Some(value.clone());
        }
        id = node.get(b"Parent").ok()?.as_reference().ok()?;
    }
    None
}

/// A character in a literal string of a font with WinAnsiEncoding: Latin 1 as it is, the rest as a question mark.
fn win_ansi(c: char) -> Vec<u8> {
    match c {
        '(' | ')' | '\\' => vec![b'\\', u8::try_from(c).unwrap_or(b'?')],
        ' '..='~' | '\u{A0}'..='\u{FF}' => vec![u8::try_from(c).unwrap_or(b'?')],
        _ => vec![b'?'],
    }
}

/// Fills the empty signature in.
fn sign(mut pdf: Vec<u8>, identity: &Identity) -> Result<Vec<u8>, String> {
    let missing = || "the written PDF has no place for its signature".to_owned();
    // The last of each, because a document may hold text that looks the same.
    let zeros = vec![b'0'; 2 * SIGNATURE_ROOM];
    let contents = memmem(&pdf, &zeros).ok_or_else(missing)?;
    let (start, end) = (contents - 1, contents + zeros.len() + 1);
    if pdf.get(start) != Some(&b'<') || pdf.get(end - 1) != Some(&b'>') {
        return Err(missing());
    }
    let placeholder = format!("[0 {UNKNOWN} {UNKNOWN} {UNKNOWN}]");
    let range = memmem(&pdf, placeholder.as_bytes()).ok_or_else(missing)?;
    let filled = format!("[0 {start} {end} {}]", pdf.len() - end);
    let filled = format!("{filled:<width$}", width = placeholder.len());
    pdf[range..range + placeholder.len()].copy_from_slice(filled.as_bytes());

    let signature = cms::detached(&[&pdf[..start], &pdf[end..]], identity)?;
    if signature.len() > SIGNATURE_ROOM {
        return Err("the signature is larger than its place".to_owned());
    }
    for (at, byte) in signature.iter().enumerate() {
        let hex = format!("{byte:02x}");
        pdf[contents + 2 * at..contents + 2 * at + 2].copy_from_slice(hex.as_bytes());
    }
    Ok(pdf)
}

fn memmem(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).rposition(|window| window == wanted)
}
