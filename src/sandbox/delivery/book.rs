//! The signed PDF: a front page, the pages of the documents, the technical signatures as attachments, and a seal.

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;

use super::archival::Conformance;
use super::canvas::{Canvas, HEIGHT, WIDTH};
use super::font::{Fonts, Used};
use super::original::{self, Original, Room};
use super::seal::Unsealed;
use super::sealing::Sealing;
use super::{SignedBy, TechnicalSignature, front, seal};
use crate::pdf::{Entries, Id, Value, Writer, entries, text_string};
use crate::types::{Documents, MediaType};

/// The contents of a signed PDF.
pub(in super::super) struct Contents<'a> {
    pub(in super::super) title: &'a str,
    pub(in super::super) documents: &'a Documents,
    /// The documents' names in the package.
    pub(in super::super) names: &'a [String],
    pub(in super::super) signers: &'a [SignedBy],
    pub(in super::super) technical: TechnicalSignature,
    /// With what is needed to check it after the certificates have run out.
    pub(in super::super) ltv: bool,
}

/// Makes the signed PDF of a job. Sealed when the last signer signed, so that it is the same whenever it is made.
pub(in super::super) fn pades(contents: &Contents<'_>, sealing: &Sealing) -> Result<Vec<u8>, String> {
    let sealed_at = contents.signers.iter().map(|signer| signer.at).max().ok_or("nobody has signed")?;
    let failed = |error: Box<dyn std::error::Error>| format!("the signed PDF cannot be made: {error}");
    let (mut book, mut room) = (Book::new(sealed_at), Room::for_one_job());
    let Contents { title, documents, signers, .. } = contents;
    book.pages.extend(front::front_pages(title, documents, signers, sealed_at).into_iter().map(Page::from));
    for (document, name) in documents.iter().zip(contents.names) {
        let content = document.bytes().map_err(|error| error.to_string())?;
        let title = document.title().as_str();
        let taken = match document.media_type() {
            MediaType::Pdf => original::take(&mut book.pdf, &content, &mut room),
            _ => None,
        };
        if let Some(taken) = taken {
            book.conformance.add(taken.archival);
            book.pages.extend(taken.pages.into_iter().map(Page::from));
        } else {
            // A file that only its header makes a PDF was accepted all the same.
            let text = match document.media_type() {
                MediaType::Pdf => {
                    book.conformance.add(None);
                    "Dette dokumentet kan ikke vises som sider.".into()
                }
                _ => String::from_utf8_lossy(&content),
            };
            book.pages.extend(front::text_pages(title, &text).into_iter().map(Page::from));
            if contents.technical == TechnicalSignature::Bare {
                // An LTV-SDO has it.
                book.attach(name, "application/octet-stream", &content, sealed_at);
            }
        }
    }
    let media_type = match contents.technical {
        TechnicalSignature::LtvSdo => "application/x-ltvsdo",
        TechnicalSignature::Bare => "application/xml",
    };
    for (at, signer) in signers.iter().enumerate() {
        let name = format!("E-Signature-{}.xml", at + 1);
        book.attach(&name, media_type, &signer.xades, sealed_at);
    }
    let mut pdf = book.finish(title, signers, sealed_at);
    seal::seal(&mut pdf, sealing, sealed_at).map_err(failed)?;
    if contents.ltv {
        seal::for_the_long_term(&mut pdf, sealing, sealed_at).map_err(failed)?;
    }
    Ok(pdf.pdf.into_bytes())
}

/// A PDF that grows.
struct Book {
    pdf: Writer,
    signature: Id,
    field: Id,
    first_page: Id,
    fonts: Fonts,
    conformance: Conformance,
    pages: Vec<Page>,
    attachments: Vec<(String, Id)>,
}

/// A page that has no footer yet.
struct Page {
    canvas: Canvas,
    original: Option<Original>,
}

impl From<Canvas> for Page {
    fn from(canvas: Canvas) -> Self {
        Self { canvas, original: None }
    }
}

impl From<Original> for Page {
    fn from(original: Original) -> Self {
        Self { canvas: Canvas::default(), original: Some(original) }
    }
}

impl Book {
    fn new(at: Timestamp) -> Self {
        let mut pdf = Writer::new();
        // The first objects of the file, as in the service's.
        let (signature, field, first_page) = (pdf.id(), pdf.id(), pdf.id());
        pdf.put(signature, seal::certification(at));
        pdf.put(field, seal::field("Signature1", signature, Some(first_page)));
        let (fonts, conformance) = (Fonts::new(&mut pdf), Conformance::Archival(None));
        Self { pdf, signature, field, first_page, fonts, conformance, pages: Vec::new(), attachments: Vec::new() }
    }

    fn attach(&mut self, name: &str, media_type: &str, content: &[u8], at: Timestamp) {
        let size = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let file = entries! {
            "Type" => "EmbeddedFile",
            "Subtype" => media_type,
            "Params" => entries! { "Size" => size, "ModDate" => seal::date(at) },
        };
        let file = self.pdf.add_deflated(file, content);
        let specification = self.pdf.add(entries! {
            "Type" => "Filespec",
            "F" => Value::text(name),
            "UF" => Value::text(name),
            "EF" => entries! { "F" => file, "UF" => file },
            "AFRelationship" => "Data",
        });
        self.attachments.push((name.to_owned(), specification));
    }

    /// Closes the book, with an empty seal in it.
    fn finish(mut self, title: &str, signers: &[SignedBy], at: Timestamp) -> Unsealed {
        let pages = self.pdf.id();
        let resources = self.resources();
        let (mut kids, mut used) = (Vec::new(), Used::default());
        let count = self.pages.len();
        for (number, page) in (1..).zip(std::mem::take(&mut self.pages)) {
            let Page { mut canvas, original } = page;
            let mut page = entries! {
                "Type" => "Page",
                "Parent" => pages,
                "MediaBox" => Value::array([0.0, 0.0, WIDTH, HEIGHT]),
            };
            let id = if number == 1 { self.first_page } else { self.pdf.id() };
            if number == 1 {
                page.set("Annots", Value::array([self.field]));
            }
            let mut resources = resources.clone();
            if let Some(group) = original.and_then(|original| original.draw(&mut canvas, &mut resources)) {
                page.set("Group", group);
            }
            page.set("Resources", resources);
            front::footer(&mut canvas, signers, number, count);
            let (content, letters) = canvas.finish();
            used.extend(&letters);
            page.set("Contents", self.pdf.add_stream(Entries::default(), &content));
            self.pdf.put(id, page);
            kids.push(id);
        }
        self.fonts.write(&mut self.pdf, &used);
        let count = i64::try_from(kids.len()).unwrap_or(i64::MAX);
        self.pdf.put(pages, entries! { "Type" => "Pages", "Kids" => Value::array(kids), "Count" => count });
        let files = Value::array(self.attachments.iter().map(|(_, id)| *id));
        // A tree of names is sorted by them.
        self.attachments.sort_by_cached_key(|(name, _)| text_string(name));
        let names = self.attachments.iter().flat_map(|(name, id)| [Value::text(name), (*id).into()]);
        let mut catalog = entries! {
            "Type" => "Catalog",
            "Pages" => pages,
            "Lang" => Value::text("nb-NO"),
            "Names" => entries! { "EmbeddedFiles" => entries! { "Names" => Value::array(names) } },
            "AF" => files,
            "Perms" => entries! { "DocMDP" => self.signature },
        };
        let mut pdf = self.pdf;
        self.conformance.write(&mut pdf, &mut catalog, title, at);
        let mut digest = Context::new(&SHA256);
        signers.iter().for_each(|signer| digest.update(&signer.xades));
        let identifier = *digest.finish().as_ref().first_chunk().expect("a digest of 32 bytes");
        let mut unsealed = Unsealed { root: pdf.id(), pdf, catalog, fields: vec![self.field], identifier };
        unsealed.end();
        unsealed
    }

    /// The resources that every page has.
    fn resources(&self) -> Entries {
        // Gray that depends on no device, so that no file needs a color profile because of us.
        let calibration = entries! { "WhitePoint" => Value::array([0.9642, 1.0, 0.8249]), "Gamma" => 2.2 };
        let gray = Value::array([Value::from("CalGray"), calibration.into()]);
        entries! { "Font" => self.fonts.resources(), "ColorSpace" => entries! { "G0" => gray } }
    }
}

impl Original {
    /// Draws the page on one of ours. Returns how its transparency is reckoned, if it has any.
    fn draw(self, canvas: &mut Canvas, resources: &mut Entries) -> Option<Value> {
        let mut forms = Entries::default();
        for (at, (form, matrix)) in self.forms.into_iter().enumerate() {
            let name = format!("X{at}");
            canvas.form(matrix, &name);
            forms.set(&name, form);
        }
        resources.set("XObject", forms);
        self.group
    }
}
