//! Checks that a download is a complete document of its format, chunk by chunk, in constant memory.
//!
//! A gateway may send a login page, and a service an error document, with the status of a success. A connection may be
//! closed before the end of the document. None of these may be saved as a signed document.

use super::XML;

/// The format of a document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Pdf,
    Xml,
}

impl Format {
    pub(super) fn accept(self) -> &'static str {
        match self {
            Self::Pdf => "application/octet-stream, application/xml",
            Self::Xml => XML,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pdf => "a PDF",
            Self::Xml => "an XML document",
        }
    }
}

/// The bytes are not a document of the format.
#[derive(Debug)]
pub(super) struct WrongFormat;

/// The state of the check.
pub(super) enum FormatCheck {
    Pdf(Pdf),
    Xml(Xml),
}

impl FormatCheck {
    pub(super) fn nothing(format: Format) -> Self {
        match format {
            Format::Pdf => Self::Pdf(Pdf::default()),
            Format::Xml => Self::Xml(Xml::default()),
        }
    }

    pub(super) fn add(&mut self, piece: &[u8]) -> Result<(), WrongFormat> {
        match self {
            Self::Pdf(pdf) => pdf.add(piece),
            Self::Xml(xml) => xml.add(piece),
        }
    }

    /// Whether the bytes are the beginning of a document of the format.
    pub(super) fn has_begun(&self) -> bool {
        match self {
            Self::Pdf(pdf) => pdf.has_begun,
            Self::Xml(xml) => xml.depth > 0 || xml.has_ended,
        }
    }

    /// Whether a document ends here. `is_bounded`: the end of the answer is marked.
    pub(super) fn is_whole(&self, is_bounded: bool) -> bool {
        match self {
            Self::Pdf(pdf) => pdf.is_whole(is_bounded),
            Self::Xml(xml) => xml.has_ended && matches!(xml.at, ScanState::Text),
        }
    }
}

/// The sizes of the start of a PDF that is searched for its header, and of the end that is searched for its marker (ISO
/// 32000-1, annex H).
const HEAD: usize = 1024 + HEADER.len();
const TAIL: usize = 1024;

const HEADER: &[u8] = b"%PDF-";
const END: &[u8] = b"%%EOF";

#[derive(Default)]
pub(super) struct Pdf {
    /// The first bytes until the header is found, then the last ones.
    kept: Vec<u8>,
    has_begun: bool,
}

impl Pdf {
    fn add(&mut self, piece: &[u8]) -> Result<(), WrongFormat> {
        if !self.has_begun {
            let room = HEAD.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
            self.has_begun = has_header(&self.kept)?;
            if !self.has_begun && self.kept.len() >= HEAD {
                return Err(WrongFormat);
            }
        }
        if self.has_begun {
            self.kept.extend_from_slice(&piece[piece.len().saturating_sub(TAIL)..]);
            self.kept.drain(..self.kept.len().saturating_sub(TAIL));
        }
        Ok(())
    }

    fn is_whole(&self, is_bounded: bool) -> bool {
        let Some(at) = self.kept.windows(END.len()).rposition(|window| window == END) else { return false };
        // Readers accept other bytes after the end. Without a known length, these may be the start of a later revision
        // that was truncated.
        let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
        self.has_begun && (is_bounded || self.kept[at + END.len()..].iter().all(is_blank))
    }
}

/// Whether the header is among the first bytes of a file, at the start of a line. Pages and error documents may contain
/// it in their text.
fn has_header(bytes: &[u8]) -> Result<bool, WrongFormat> {
    let first = bytes.strip_prefix(BOM).unwrap_or(bytes).trim_ascii_start();
    if let [b'<' | b'{' | b'[', ..] = first {
        return Err(WrongFormat);
    }
    let mut found = bytes.windows(HEADER.len()).enumerate().filter(|(_, window)| *window == HEADER);
    Ok(found.any(|(at, _)| match at.checked_sub(1).map(|before| bytes[before]) {
        None | Some(b'\n' | b'\r') => true,
        Some(_) => &bytes[..at] == BOM,
    }))
}

/// The byte order mark of UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Finds the start and end of one root element. Checks its content only as far as that needs.
#[derive(Default)]
pub(super) struct Xml {
    at: ScanState,
    /// The number of open elements.
    depth: usize,
    /// The number of bytes of a byte order mark before the root.
    before: usize,
    /// The name of the root without its prefix, at most [`NAME`] bytes.
    root: Vec<u8>,
    has_ended: bool,
}

#[derive(Clone, Copy, Default)]
enum ScanState {
    #[default]
    Text,
    /// Behind `<`.
    Markup,
    /// In a start tag: whether in its name, the quote of the current value, and whether the last byte was a slash.
    Start {
        is_name: bool,
        quote: Option<u8>,
        slash: bool,
    },
    End,
    /// Behind `<!`.
    Declaration,
    /// Behind `<!-`.
    Dash,
    /// In a comment, a CDATA section or a processing instruction: its end, and the number of bytes of it met so far.
    Until {
        end: &'static [u8],
        met: usize,
    },
}

/// The maximum length that is kept of a name, longer than those that are compared.
const NAME: usize = 16;

impl Xml {
    fn add(&mut self, piece: &[u8]) -> Result<(), WrongFormat> {
        let mut rest = piece;
        while let [byte, more @ ..] = rest {
            rest = more;
            match (self.at, byte) {
                (ScanState::Text, b'<') => self.at = ScanState::Markup,
                // Most bytes of a signature are the text of certificates.
                (ScanState::Text, _) if self.depth > 0 => {
                    let text = rest.iter().position(|byte| *byte == b'<').unwrap_or(rest.len());
                    rest = &rest[text..];
                }
                (ScanState::Text, byte) => self.outside(*byte)?,
                (ScanState::Markup, byte) => self.at = self.markup(*byte)?,
                (ScanState::Declaration, b'-') => self.at = ScanState::Dash,
                (ScanState::Declaration, b'[') if self.depth > 0 => self.at = ScanState::Until { end: b"]]>", met: 0 },
                // A document type, which pages have and signatures do not.
                (ScanState::Declaration, _) => return Err(WrongFormat),
                (ScanState::Dash, b'-') => self.at = ScanState::Until { end: b"-->", met: 0 },
                (ScanState::Dash, _) => return Err(WrongFormat),
                (ScanState::Until { end, met }, byte) => self.at = until(end, met, *byte),
                (ScanState::End, b'>') => self.close()?,
                (ScanState::End, b'<') => return Err(WrongFormat),
                (ScanState::End, _) => {}
                (ScanState::Start { is_name, quote, slash }, byte) => self.start(is_name, quote, slash, *byte)?,
            }
        }
        Ok(())
    }

    /// A byte outside the root: white space, or part of a byte order mark at the start.
    fn outside(&mut self, byte: u8) -> Result<(), WrongFormat> {
        let is_mark = BOM.get(self.before) == Some(&byte);
        if is_mark {
            self.before += 1;
        }
        if is_mark || byte.is_ascii_whitespace() { Ok(()) } else { Err(WrongFormat) }
    }

    fn markup(&mut self, byte: u8) -> Result<ScanState, WrongFormat> {
        self.before = BOM.len();
        match byte {
            b'!' => Ok(ScanState::Declaration),
            b'?' => Ok(ScanState::Until { end: b"?>", met: 0 }),
            b'/' if self.depth > 0 => Ok(ScanState::End),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' | 0x80.. if !self.has_ended => {
                let at = ScanState::Start { is_name: true, quote: None, slash: false };
                self.name(byte);
                Ok(at)
            }
            _ => Err(WrongFormat),
        }
    }

    fn start(&mut self, is_name: bool, quote: Option<u8>, slash: bool, byte: u8) -> Result<(), WrongFormat> {
        self.at = match (quote, byte) {
            (Some(quote), _) if byte == quote => ScanState::Start { is_name, quote: None, slash: false },
            (_, b'<') => return Err(WrongFormat),
            (Some(_), _) => return Ok(()),
            (None, b'>') => {
                self.is_document()?;
                self.depth += 1;
                if slash {
                    self.close()?;
                }
                ScanState::Text
            }
            (None, b'"' | b'\'') => ScanState::Start { is_name: false, quote: Some(byte), slash: false },
            (None, byte) => {
                let is_name = is_name && !byte.is_ascii_whitespace() && byte != b'/';
                if is_name {
                    self.name(byte);
                }
                ScanState::Start { is_name, quote: None, slash: byte == b'/' }
            }
        };
        Ok(())
    }

    /// A byte of a name, kept if it is that of the root.
    fn name(&mut self, byte: u8) {
        if self.depth > 0 {
            return;
        }
        match byte {
            b':' => self.root.clear(),
            byte if self.root.len() < NAME => self.root.push(byte.to_ascii_lowercase()),
            _ => {}
        }
    }

    /// Checks that the root is not that of a page or of an error document.
    fn is_document(&self) -> Result<(), WrongFormat> {
        if self.depth == 0 && matches!(self.root.as_slice(), b"html" | b"error") { Err(WrongFormat) } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), WrongFormat> {
        self.at = ScanState::Text;
        self.depth = self.depth.checked_sub(1).ok_or(WrongFormat)?;
        self.has_ended = self.depth == 0;
        Ok(())
    }
}

/// A byte of a construct with this end, of which `met` bytes were met.
fn until(end: &'static [u8], met: usize, byte: u8) -> ScanState {
    match end.get(met) {
        Some(next) if *next == byte && met + 1 == end.len() => ScanState::Text,
        Some(next) if *next == byte => ScanState::Until { end, met: met + 1 },
        // `--->` and `]]]>` end too.
        _ if byte == end[0] => ScanState::Until { end, met: if met == 2 && end[1] == byte { 2 } else { 1 } },
        _ => ScanState::Until { end, met: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Some(is it whole)`, or nothing if it is none of its format; the same in whatever pieces it comes.
    fn judged(format: Format, document: &[u8], is_bounded: bool) -> Option<bool> {
        let judge = |size: usize| {
            let mut seen = FormatCheck::nothing(format);
            for piece in document.chunks(size) {
                seen.add(piece).ok()?;
            }
            Some(seen.has_begun() && seen.is_whole(is_bounded))
        };
        let whole = judge(document.len().max(1));
        for size in [1, 2, 3, 7, 1000] {
            assert_eq!(judge(size), whole, "{size}: {}", String::from_utf8_lossy(document));
        }
        whole
    }

    #[test]
    fn an_xml_document_is_whole_when_its_root_is_closed() {
        let xml = |text: &str| judged(Format::Xml, text.as_bytes(), false);
        for whole in [
            "<a></a>",
            "<a/>",
            "\u{feff}<?xml version='1.0'?>\n<!-- --- --><x:a b='>/' c=\"'\">\u{e6}<b/><![CDATA[</x:a>]]]></x:a >\n<!--x--><?y z?>\n",
            "<Signature><Signature></Signature></Signature>",
            "<errors/>",
            "<a html='error'><error/><html></html></a>",
        ] {
            assert_eq!(xml(whole), Some(true), "{whole}");
            let end = whole.trim_end().rfind("</").or(whole.find("/>")).unwrap();
            for cut in (0..end).filter(|cut| whole.is_char_boundary(*cut)) {
                assert_ne!(xml(&whole[..cut]), Some(true), "{}", &whole[..cut]);
            }
        }
        assert_eq!(xml("<a></a><!-- "), Some(false));
        assert_eq!(xml("<a><!-- </a> --"), Some(false));
        assert_eq!(xml("<a b='</a>"), None);
        for other in [
            "<!DOCTYPE html><html></html>",
            "<html><body>no</body></html>",
            "<HTML></HTML>",
            "<error xmlns='x'></error>",
            "<s:error/>",
            "<a></a><a></a>",
            "<a></a></a>",
            "</a>",
            "no",
            "<a></a>no",
            "%PDF-1.4",
            "<>",
            "<1/>",
        ] {
            assert_eq!(xml(other), None, "{other}");
        }
        assert_eq!(xml(""), Some(false));
    }

    #[test]
    fn a_pdf_begins_at_a_line_and_has_an_end() {
        let pdf = |text: &str, is_bounded| judged(Format::Pdf, text.as_bytes(), is_bounded);
        assert_eq!(pdf("%PDF-1.4\n%%EOF\n", false), Some(true));
        assert_eq!(pdf("\u{feff}%PDF-1.4\n%%EOF\r\n\0", false), Some(true));
        assert_eq!(pdf("of a printer\r%PDF-1.4\n%%EOF", false), Some(true));
        assert_eq!(pdf("%PDF-1.4\n%%EOF\n7 0 obj", true), Some(true));
        assert_eq!(pdf("%PDF-1.4\n%%EOF\n7 0 obj", false), Some(false), "a revision that was cut off");
        for is_bounded in [false, true] {
            assert_eq!(pdf("%PDF-1.4\n", is_bounded), Some(false));
            assert_eq!(pdf("no such file: x%PDF-1.4.pdf %%EOF", is_bounded), Some(false));
            assert_eq!(pdf("<html>404: /x\n%PDF-1.4.pdf %%EOF", is_bounded), None);
            assert_eq!(pdf("", is_bounded), Some(false));
            let late = format!("{}\n%PDF-1.4\n%%EOF", "x".repeat(1100));
            assert_eq!(pdf(&late, is_bounded), None);
            let long = format!("%PDF-1.4\n%%EOF{}", "x".repeat(1100));
            assert_eq!(pdf(&long, is_bounded), Some(false));
        }
    }
}
