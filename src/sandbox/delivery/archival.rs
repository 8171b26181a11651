//! Archival files (PDF/A, ISO 19005): what an original says of itself, and what a signed PDF says.
//!
//! A signed PDF is PDF/A-3B when every PDF in it is PDF/A, whatever its part and level: the technical signatures are
//! attached, which only part 3 permits for any kind of file, and pages become drawings, so that the structure that the
//! levels A and U ask for is not kept.

use jiff::Timestamp;
use lopdf::{Dictionary, Document as Pdf, Object, Stream, dictionary};
use roxmltree::{Document, Node, ParsingOptions};

use crate::text::{escape_text, is_xml_char};

/// The namespace by which a file says that it is PDF/A (ISO 19005-1, section 6.7.11).
const IDENTIFICATION: &str = "http://www.aiim.org/pdfa/ns/id/";

/// How large metadata are read. A few kilobytes are usual.
const MAX_METADATA: usize = 1024 * 1024;

/// What an archival file says of its colors.
pub(super) struct Archival {
    intent: Option<Object>,
}

impl Archival {
    /// `None`: the file does not say that it is PDF/A.
    pub(super) fn of(pdf: &Pdf) -> Option<Self> {
        let catalog = pdf.catalog().ok()?;
        let metadata = pdf.dereference(catalog.get(b"Metadata").ok()?).ok()?.1.as_stream().ok()?;
        let metadata = metadata.get_plain_content_with_limit(MAX_METADATA).ok()?;
        if !is_identified(std::str::from_utf8(&metadata).ok()?) {
            return None;
        }
        let intents = catalog.get(b"OutputIntents").ok();
        let intents = intents.and_then(|list| pdf.dereference(list).ok()?.1.as_array().ok());
        let is_archival = |intent: &&Object| {
            let kind = pdf.dereference(intent).and_then(|(_, intent)| intent.as_dict()?.get(b"S"));
            kind.and_then(Object::as_name).is_ok_and(|kind| kind == b"GTS_PDFA1")
        };
        Some(Self { intent: intents.into_iter().flatten().find(is_archival).cloned() })
    }
}

/// Whether metadata (XMP) name one of the parts that a PDF 1.7 can be of.
fn is_identified(metadata: &str) -> bool {
    let options = ParsingOptions { nodes_limit: 10_000, ..ParsingOptions::default() };
    let metadata = metadata.trim_start_matches('\u{FEFF}').trim();
    let Ok(document) = Document::parse_with_options(metadata, options) else { return false };
    // An element, or in short form an attribute.
    let part = |node: Node<'_, '_>| {
        let element = node.has_tag_name((IDENTIFICATION, "part")).then(|| node.text().unwrap_or_default());
        element.or_else(|| node.attribute((IDENTIFICATION, "part"))).map(|part| part.trim().to_owned())
    };
    document.descendants().find_map(part).is_some_and(|part| matches!(part.as_str(), "1" | "2" | "3"))
}

/// Whether a file that is made of others is archival.
pub(super) enum Conformance {
    /// So far, with the colors of the first original that said something of them.
    Archival(Option<Object>),
    /// One of the originals is not, or two have colors that do not go together.
    Ordinary,
}

impl Conformance {
    /// Takes an original into account.
    pub(super) fn add(&mut self, pdf: &Pdf, original: Option<Archival>) {
        let Self::Archival(ours) = self else { return };
        match (original, &ours) {
            (None, _) => *self = Self::Ordinary,
            (Some(Archival { intent: Some(theirs) }), Some(ours))
                if components(pdf, &theirs) != components(pdf, ours) =>
            {
                // A file has one profile (ISO 19005-3, section 6.2.3).
                *self = Self::Ordinary;
            }
            (Some(Archival { intent }), None) => *ours = intent,
            (Some(_), Some(_)) => {}
        }
    }

    /// Says in the catalog what the file is.
    pub(super) fn write(self, pdf: &mut Pdf, catalog: &mut Dictionary, title: &str, at: Timestamp) {
        let Self::Archival(intent) = self else { return };
        let metadata = dictionary! { "Type" => "Metadata", "Subtype" => "XML" };
        let metadata = pdf.add_object(Stream::new(metadata, metadata_of(title, at).into_bytes()));
        catalog.set("Metadata", metadata);
        if let Some(intent) = intent {
            catalog.set("OutputIntents", vec![intent]);
        }
    }
}

/// How many components the profile of an output intent has. `None`: it has no profile.
fn components(pdf: &Pdf, intent: &Object) -> Option<i64> {
    let intent = pdf.dereference(intent).ok()?.1.as_dict().ok()?;
    let profile = pdf.dereference(intent.get(b"DestOutputProfile").ok()?).ok()?.1.as_stream().ok()?;
    profile.dict.get(b"N").and_then(Object::as_i64).ok()
}

/// The metadata (XMP) of a signed PDF.
fn metadata_of(title: &str, at: Timestamp) -> String {
    let title: String = title.chars().filter(|c| is_xml_char(*c)).collect();
    let (title, at) = (escape_text(&title), at.strftime("%Y-%m-%dT%H:%M:%SZ"));
    format!(
        "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdfaid=\"{IDENTIFICATION}\">\n\
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\n\
         <xmp:CreateDate>{at}</xmp:CreateDate>\n\
         <pdfaid:part>3</pdfaid:part>\n<pdfaid:conformance>B</pdfaid:conformance>\n\
         </rdf:Description>\n</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_archival_when_its_metadata_say_so_as_element_or_attribute() {
        let with = |description: &str| {
            format!(
                "\u{FEFF}<?xpacket begin=\"\u{FEFF}\" id=\"x\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
                 <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:p=\"{IDENTIFICATION}\">\
                 {description}</rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>"
            )
        };
        for (description, expected) in [
            ("<rdf:Description><p:part>1</p:part></rdf:Description>", true),
            ("<rdf:Description><p:part> 2 </p:part></rdf:Description>", true),
            ("<rdf:Description p:part=\"3\" p:conformance=\"U\"/>", true),
            // For PDF 2.0.
            ("<rdf:Description p:part=\"4\"/>", false),
            ("<rdf:Description p:conformance=\"B\"/>", false),
            ("<rdf:Description part=\"1\"/>", false),
        ] {
            assert_eq!(is_identified(&with(description)), expected, "{description}");
        }
        // What is no metadata costs little.
        assert!(!is_identified("no XML"));
        assert!(!is_identified(&"<a>".repeat(300_000)));
        assert!(!is_identified("<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>"));
    }

    #[test]
    fn profiles_of_different_components_do_not_go_together() {
        let mut pdf = Pdf::with_version("1.7");
        let mut intent = |components: i64| {
            let profile = pdf.add_object(Stream::new(dictionary! { "N" => components }, Vec::new()));
            Some(Archival { intent: Some(dictionary! { "S" => "GTS_PDFA1", "DestOutputProfile" => profile }.into()) })
        };
        let (red, other_red, black) = (intent(3), intent(3), intent(1));
        let mut conformance = Conformance::Archival(None);
        for original in [Some(Archival { intent: None }), red, other_red, Some(Archival { intent: None })] {
            conformance.add(&pdf, original);
            assert!(matches!(conformance, Conformance::Archival(_)));
        }
        conformance.add(&pdf, black);
        assert!(matches!(conformance, Conformance::Ordinary));
        let mut conformance = Conformance::Archival(None);
        conformance.add(&pdf, None);
        conformance.add(&pdf, Some(Archival { intent: None }));
        assert!(matches!(conformance, Conformance::Ordinary), "one that is not is enough");
    }
}
