//! The signed PDF: a front page, the pages of the documents, the technical signatures as attachments, and a seal.

use std::io::Write as _;

use aws_lc_rs::digest::{Context, SHA256};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use jiff::Timestamp;
use lopdf::{Dictionary, Document as Pdf, Object, ObjectId, Stream, StringFormat, dictionary};

use super::archival::Conformance;
use super::canvas::{Canvas, HEIGHT, WIDTH};
use super::font::{Fonts, Used};
use super::original::{self, Original, Room};
use super::sealing::Sealing;
use super::{SignedBy, TechnicalSignature, front, seal};
use crate::types::{Documents, MediaType};

/// What a signed PDF is made of.
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
    let (mut book, mut room) = (Book::new(), Room::for_one_job());
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
            book.conformance.add(&book.pdf, taken.archival);
            book.pages.extend(taken.pages.into_iter().map(Page::from));
        } else {
            // A file that only its header makes a PDF was accepted all the same.
            let text = match document.media_type() {
                MediaType::Pdf => {
                    book.conformance.add(&book.pdf, None);
                    "Dette dokumentet kan ikke vises som sider.".into()
                }
                _ => String::from_utf8_lossy(&content),
            };
            book.pages.extend(front::text_pages(title, &text).into_iter().map(Page::from));
            if contents.technical == TechnicalSignature::Bare {
                // An LTV-SDO has it.
                book.attach(name, "application/octet-stream", &content, sealed_at).map_err(failed)?;
            }
        }
    }
    let media_type = match contents.technical {
        TechnicalSignature::LtvSdo => "application/x-ltvsdo",
        TechnicalSignature::Bare => "application/xml",
    };
    for (at, signer) in signers.iter().enumerate() {
        let name = format!("E-Signature-{}.xml", at + 1);
        book.attach(&name, media_type, &signer.xades, sealed_at).map_err(failed)?;
    }
    let pdf = book.finish(title, signers, sealed_at).map_err(failed)?;
    let pdf = seal::seal(pdf, sealing, sealed_at).map_err(failed)?;
    if contents.ltv { seal::for_the_long_term(pdf, sealing, sealed_at).map_err(failed) } else { Ok(pdf) }
}

/// A PDF that grows.
struct Book {
    pdf: Pdf,
    /// Among the first objects of the file, as in the service's.
    signature: ObjectId,
    field: ObjectId,
    fonts: Fonts,
    conformance: Conformance,
    pages: Vec<Page>,
    attachments: Vec<(String, ObjectId)>,
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
    fn new() -> Self {
        let mut pdf = Pdf::with_version("1.7");
        let (signature, field) = (pdf.new_object_id(), pdf.new_object_id());
        let (fonts, conformance) = (Fonts::new(&mut pdf), Conformance::Archival(None));
        Self { pdf, signature, field, fonts, conformance, pages: Vec::new(), attachments: Vec::new() }
    }

    fn attach(
        &mut self,
        name: &str,
        media_type: &str,
        content: &[u8],
        at: Timestamp,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let mut deflated = ZlibEncoder::new(Vec::new(), Compression::fast());
        deflated.write_all(content)?;
        let size = i64::try_from(content.len())?;
        let file = Stream::new(
            dictionary! {
                "Type" => "EmbeddedFile",
                "Subtype" => media_type,
                "Filter" => "FlateDecode",
                "Params" => dictionary! { "Size" => size, "ModDate" => seal::date(at) },
            },
            deflated.finish()?,
        );
        let file = self.pdf.add_object(file);
        let specification = self.pdf.add_object(dictionary! {
            "Type" => "Filespec",
            "F" => Object::string_literal(name),
            "UF" => Object::string_literal(name),
            "EF" => dictionary! { "F" => file, "UF" => file },
            "AFRelationship" => "Data",
        });
        self.attachments.push((name.to_owned(), specification));
        Ok(())
    }

    /// Closes the book, with an empty seal in it.
    fn finish(
        mut self,
        title: &str,
        signers: &[SignedBy],
        at: Timestamp,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let pages = self.pdf.new_object_id();
        let resources = self.resources();
        let (mut kids, mut used): (Vec<Object>, _) = (Vec::new(), Used::default());
        let count = self.pages.len();
        for (number, page) in (1..).zip(std::mem::take(&mut self.pages)) {
            let Page { mut canvas, original } = page;
            let mut resources = resources.clone();
            let group = original.and_then(|original| original.draw(&mut canvas, &mut resources));
            front::footer(&mut canvas, signers, number, count);
            let (content, letters) = canvas.finish();
            used.extend(&letters);
            kids.push(self.page(content, resources, pages, group).into());
        }
        let pdf = &mut self.pdf;
        self.fonts.write(pdf, &used);
        let first = kids.first().and_then(|page| page.as_reference().ok()).ok_or("there is no page")?;
        pdf.set_object(self.signature, seal::certification(at));
        pdf.set_object(
            self.field,
            dictionary! {
                "Type" => "Annot", "Subtype" => "Widget", "FT" => "Sig", "T" => Object::string_literal("Signature1"),
                "V" => self.signature, "P" => first, "F" => 132,
                "Rect" => [0, 0, 0, 0].map(Object::from).to_vec(),
            },
        );
        pdf.get_dictionary_mut(first)?.set("Annots", vec![self.field.into()]);
        let count = i64::try_from(kids.len())?;
        pdf.set_object(pages, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count });
        let files: Vec<Object> = self.attachments.iter().map(|(_, id)| (*id).into()).collect();
        // A name tree is sorted by name.
        self.attachments.sort();
        let names =
            self.attachments.iter().flat_map(|(name, id)| [Object::string_literal(name.as_str()), (*id).into()]);
        let mut catalog = dictionary! {
            "Type" => "Catalog",
            "Pages" => pages,
            "Lang" => Object::string_literal("nb-NO"),
            "Names" => dictionary! { "EmbeddedFiles" => dictionary! { "Names" => names.collect::<Vec<_>>() } },
            "AF" => files,
            "AcroForm" => dictionary! { "Fields" => vec![self.field.into()], "SigFlags" => 3 },
            "Perms" => dictionary! { "DocMDP" => self.signature },
        };
        self.conformance.write(pdf, &mut catalog, title, at);
        let catalog = pdf.add_object(catalog);
        pdf.trailer.set("Root", catalog);
        let mut id = Context::new(&SHA256);
        signers.iter().for_each(|signer| id.update(&signer.xades));
        let id = Object::String(id.finish().as_ref()[..16].to_vec(), StringFormat::Hexadecimal);
        pdf.trailer.set("ID", vec![id.clone(), id]);
        // What nothing refers to any more: the page trees and catalogs that the documents came with.
        pdf.prune_objects();
        let mut bytes = Vec::new();
        pdf.save_to(&mut bytes)?;
        Ok(bytes)
    }

    /// The resources that every page has.
    fn resources(&self) -> Dictionary {
        // Gray that depends on no device, so that no file needs a color profile because of us.
        let white = [0.9642, 1.0, 0.8249].map(Object::Real).to_vec();
        let gray = vec!["CalGray".into(), dictionary! { "WhitePoint" => white, "Gamma" => 2.2 }.into()];
        dictionary! { "Font" => self.fonts.resources(), "ColorSpace" => dictionary! { "G0" => gray } }
    }

    fn page(&mut self, content: Vec<u8>, resources: Dictionary, parent: ObjectId, group: Option<Object>) -> ObjectId {
        let content = self.pdf.add_object(Stream::new(Dictionary::new(), content));
        let mut page = dictionary! {
            "Type" => "Page",
            "Parent" => parent,
            "MediaBox" => [0.0, 0.0, WIDTH, HEIGHT].map(Object::Real).to_vec(),
            "Contents" => content,
            "Resources" => resources,
        };
        if let Some(group) = group {
            page.set("Group", group);
        }
        self.pdf.add_object(page)
    }
}

impl Original {
    /// Draws the page on one of ours. Returns how its transparency is reckoned, if it has any.
    fn draw(self, canvas: &mut Canvas, resources: &mut Dictionary) -> Option<Object> {
        let mut forms = Dictionary::new();
        for (at, (form, matrix)) in self.forms.into_iter().enumerate() {
            let name = format!("X{at}");
            canvas.form(matrix, &name);
            forms.set(name, form);
        }
        resources.set("XObject", forms);
        self.group
    }
}
