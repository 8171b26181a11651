//! Archival files (PDF/A, ISO 19005): what an original says of itself, and what a signed PDF says.
//!
//! A signed PDF is PDF/A-3B when every PDF in it is PDF/A, whatever its part and level: the technical signatures are
//! attached, which only part 3 permits for any kind of file, and pages become drawings, so that the structure that the
//! levels A and U ask for is not kept.

use jiff::Timestamp;
use roxmltree::{Document, Node, ParsingOptions};

use crate::pdf::{Entries, Object, Value, View, Writer, entries};
use crate::text::{escape_text, is_xml_char};

/// The namespace by which a file says that it is PDF/A (ISO 19005-1, section 6.7.11).
const IDENTIFICATION: &str = "http://www.aiim.org/pdfa/ns/id/";

/// How large metadata are read. A few kilobytes are usual.
const MAX_METADATA: usize = 1024 * 1024;

/// How large a profile of colors is read. Those for print have up to three megabytes.
const MAX_PROFILE: usize = 16 * 1024 * 1024;

/// The colors of an archival file, as it declares them.
pub(super) struct Archival {
    intent: Option<Intent>,
}

/// For which colors a file is made (ISO 32000-1, section 14.11.5).
pub(super) struct Intent {
    /// Its entries that are text.
    texts: Vec<(&'static str, Value)>,
    /// The number of components of the colors, and the profile (ICC).
    profile: Option<(i64, Vec<u8>)>,
}

impl Archival {
    /// `None`: the file does not say that it is PDF/A.
    pub(super) fn of(pdf: &View<'_, '_>) -> Option<Self> {
        let catalog = pdf.catalog().ok()?;
        let Object::Stream(metadata, start) = pdf.value(&catalog, b"Metadata").ok()? else { return None };
        let metadata = pdf.decoded(&metadata, start, MAX_METADATA).ok()?;
        if !is_identified(std::str::from_utf8(&metadata).ok()?) {
            return None;
        }
        for intent in pdf.array(&catalog, b"OutputIntents").ok()? {
            let Object::Dictionary(intent) = pdf.follow(&intent).ok()? else { continue };
            if pdf.value(&intent, b"S").ok()?.name() != Some(b"GTS_PDFA1") {
                continue;
            }
            let mut texts = Vec::new();
            for key in ["OutputCondition", "OutputConditionIdentifier", "RegistryName", "Info"] {
                if let text @ Object::String(_) = pdf.value(&intent, key.as_bytes()).ok()? {
                    texts.push((key, Value::of(&text, &mut |id| id)));
                }
            }
            let profile = match pdf.value(&intent, b"DestOutputProfile").ok()? {
                Object::Stream(profile, start) => {
                    let components = pdf.value(&profile, b"N").ok()?.integer()?;
                    Some((components, pdf.decoded(&profile, start, MAX_PROFILE).ok()?.into_owned()))
                }
                _ => None,
            };
            return Some(Self { intent: Some(Intent { texts, profile }) });
        }
        Some(Self { intent: None })
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
    Archival(Option<Intent>),
    /// One of the originals is not, or two have colors that do not go together.
    Ordinary,
}

impl Conformance {
    /// Takes an original into account.
    pub(super) fn add(&mut self, original: Option<Archival>) {
        let Self::Archival(ours) = self else { return };
        match (original, &ours) {
            (None, _) => *self = Self::Ordinary,
            (Some(Archival { intent: Some(theirs) }), Some(ours)) if theirs.components() != ours.components() => {
                // A file has one profile (ISO 19005-3, section 6.2.3).
                *self = Self::Ordinary;
            }
            (Some(Archival { intent }), None) => *ours = intent,
            (Some(_), Some(_)) => {}
        }
    }

    /// Says in the catalog what the file is.
    pub(super) fn write(self, pdf: &mut Writer, catalog: &mut Entries, title: &str, at: Timestamp) {
        let Self::Archival(intent) = self else { return };
        let metadata = entries! { "Type" => "Metadata", "Subtype" => "XML" };
        catalog.set("Metadata", pdf.add_stream(metadata, metadata_of(title, at).as_bytes()));
        if let Some(intent) = intent {
            let mut written = entries! { "Type" => "OutputIntent", "S" => "GTS_PDFA1" };
            for (key, text) in intent.texts {
                written.set(key, text);
            }
            if let Some((components, profile)) = intent.profile {
                let profile = pdf.add_deflated(entries! { "N" => components }, &profile);
                written.set("DestOutputProfile", profile);
            }
            catalog.set("OutputIntents", Value::array([written]));
        }
    }
}

impl Intent {
    /// The number of components of its profile. `None` without a profile.
    fn components(&self) -> Option<i64> {
        self.profile.as_ref().map(|(components, _)| *components)
    }
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
        let intent = |components: i64| {
            let profile = Some((components, Vec::new()));
            Some(Archival { intent: Some(Intent { texts: Vec::new(), profile }) })
        };
        let (red, other_red, black) = (intent(3), intent(3), intent(1));
        let mut conformance = Conformance::Archival(None);
        for original in [Some(Archival { intent: None }), red, other_red, Some(Archival { intent: None })] {
            conformance.add(original);
            assert!(matches!(conformance, Conformance::Archival(_)));
        }
        conformance.add(black);
        assert!(matches!(conformance, Conformance::Ordinary));
        let mut conformance = Conformance::Archival(None);
        conformance.add(None);
        conformance.add(Some(Archival { intent: None }));
        assert!(matches!(conformance, Conformance::Ordinary), "one that is not is enough");
    }
}
