//! Documents to be signed.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use bytes::Bytes;

use super::words::as_text;
use super::{DocumentContent, Title, pdf};
use crate::error::{Error, FileAction, InvalidValue, Rule, file};

/// The maximum total size of the documents of a job, in bytes.
pub(crate) const MAX_BYTES: usize = 10_485_760;

/// The maximum number of documents in a job.
const MAX_DOCUMENTS: usize = 20;

/// The media type of a document.
///
/// ```
/// use posten_signering::{Document, MediaType};
///
/// assert_eq!(Document::text("Notat", "Enig.")?.media_type(), MediaType::Text);
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaType {
    /// `application/pdf`.
    Pdf,
    /// `text/plain`, an older kind that the service still accepts.
    Text,
}

impl MediaType {
    /// Returns the media type as text (RFC 2046).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Text => "text/plain",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Text => "txt",
        }
    }
}

impl FromStr for MediaType {
    type Err = InvalidValue;

    fn from_str(name: &str) -> Result<Self, InvalidValue> {
        let known = [Self::Pdf, Self::Text].into_iter().find(|kind| kind.as_str() == name);
        known.ok_or_else(|| InvalidValue::new("mime", Rule::OneOf(&["application/pdf", "text/plain"])))
    }
}

as_text!(MediaType);

/// A document to be signed.
///
/// `Debug` shows only the media type and the size.
///
/// ```
/// use posten_signering::Document;
///
/// let error = Document::pdf("Avtale", "hello").unwrap_err();
/// assert_eq!(error.to_string(), "document: is not a PDF: it has no %PDF header");
/// ```
#[derive(Clone)]
pub struct Document {
    title: Title,
    media_type: MediaType,
    content: DocumentContent,
    file_name: Option<String>,
}

impl Document {
    /// Creates a PDF document from bytes.
    ///
    /// The service accepts PDF 1.1 to 1.7, including PDF/A, without encryption. At most 10 485 760 bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when the title or the PDF breaks a rule. Of the PDF, only the header, the version and the
    /// encryption are checked.
    pub fn pdf<T>(title: T, content: impl Into<Bytes>) -> Result<Self, InvalidValue>
    where
        T: TryInto<Title>,
        InvalidValue: From<T::Error>,
    {
        in_memory(title.try_into()?, MediaType::Pdf, content.into())
    }

    /// Creates a plain text document from UTF-8. At most 10 485 760 bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when the title breaks a rule, or the text is empty, too long or not UTF-8.
    pub fn text<T>(title: T, content: impl Into<Bytes>) -> Result<Self, InvalidValue>
    where
        T: TryInto<Title>,
        InvalidValue: From<T::Error>,
    {
        in_memory(title.try_into()?, MediaType::Text, content.into())
    }

    /// Creates a PDF document from a file. At most 1 MiB of it is in memory at a time.
    ///
    /// The file stays open. It is read once to compute its digest and once more while it is sent. If it is changed in
    /// between, no job is created, and `create` returns [`Error::File`].
    ///
    /// Blocks while it opens the file and reads its start and end. In async code, call it through `spawn_blocking`.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when the file cannot be read, [`Error::InvalidValue`] as for [`pdf`](Self::pdf).
    pub fn pdf_from_file<T>(title: T, path: impl AsRef<Path>) -> Result<Self, Error>
    where
        T: TryInto<Title>,
        InvalidValue: From<T::Error>,
    {
        let path = path.as_ref();
        let failed = file(FileAction::Read, path);
        let regular = |found: std::fs::Metadata| match found.is_file() {
            true => Ok(found.len()),
            false => Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file")),
        };
        // Before it is opened, which blocks with a pipe that nobody writes to; and what was opened.
        std::fs::metadata(path).and_then(regular).map_err(&failed)?;
        let file = std::fs::File::open(path).map_err(&failed)?;
        let length = usize::try_from(file.metadata().and_then(regular).map_err(&failed)?).unwrap_or(usize::MAX);
        bounded(length)?;
        let title = title.try_into().map_err(InvalidValue::from)?;
        Ok(Self::new(title, MediaType::Pdf, DocumentContent::file(file, length, path)).map_err(failed)??)
    }

    /// Creates a PDF document from a reader of exactly `length` bytes. Blocks while it reads.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] when reading fails or the reader has fewer or more bytes, [`Error::InvalidValue`] as for
    /// [`pdf`](Self::pdf). A length above the limit is refused before anything is read.
    pub fn pdf_from_reader<T>(title: T, reader: impl Read, length: u64) -> Result<Self, Error>
    where
        T: TryInto<Title>,
        InvalidValue: From<T::Error>,
    {
        let content = read(reader, length)?.map_err(Error::Read)?;
        Ok(Self::pdf(title, content)?)
    }

    fn new(
        title: Title,
        media_type: MediaType,
        content: DocumentContent,
    ) -> std::io::Result<Result<Self, InvalidValue>> {
        let broken = match media_type {
            MediaType::Pdf => pdf::check(&content)?.err().map(Rule::Pdf),
            MediaType::Text => {
                let text = content.window(0, content.len())?;
                std::str::from_utf8(&text).err().map(|_| Rule::Utf8)
            }
        };
        Ok(match broken {
            Some(rule) => Err(InvalidValue::new("document", rule)),
            None => Ok(Self { title, media_type, content, file_name: None }),
        })
    }

    /// Sets the file name inside the document package. Defaults to a name derived from the title.
    ///
    /// Any text is accepted: it is reduced to lower-case ASCII without directories, made unique, and gets the extension
    /// of the media type.
    #[must_use]
    pub fn with_file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Returns the title.
    pub fn title(&self) -> &Title {
        &self.title
    }

    /// Returns the media type.
    pub fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// Returns the content. Reads the whole file if the document was created from one.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when the file cannot be read, or is shorter than it was.
    pub fn bytes(&self) -> Result<Bytes, Error> {
        self.content.window(0, self.content.len()).map_err(|source| self.unreadable(source))
    }

    pub(crate) fn content(&self) -> &DocumentContent {
        &self.content
    }

    /// The error for a document that cannot be read.
    pub(crate) fn unreadable(&self, source: std::io::Error) -> Error {
        match self.content.path() {
            Some(path) => file(FileAction::Read, path)(source),
            None => Error::Read(source),
        }
    }

    /// The file name in the package of the document at this index.
    pub(crate) fn package_name(&self, index: usize) -> String {
        /// Leaves room for the number before and the extension after, within the 100 characters of a `href`.
        const MAX_STEM: usize = 80;
        let extension = self.media_type.extension();
        let stem = match &self.file_name {
            Some(name) => name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem),
            None => self.title.as_str(),
        };
        let mut plain = String::new();
        for c in stem.chars().flat_map(char::to_lowercase) {
            match c {
                'a'..='z' | '0'..='9' => plain.push(c),
                'æ' => plain.push_str("ae"),
                'ø' => plain.push('o'),
                'å' => plain.push('a'),
                _ if plain.ends_with('-') || plain.is_empty() => {}
                _ => plain.push('-'),
            }
            if plain.len() >= MAX_STEM {
                break;
            }
        }
        let plain = plain.trim_end_matches('-');
        let plain = if plain.is_empty() { "document" } else { plain };
        // The number makes it unique.
        format!("{:02}-{plain}.{extension}", index + 1)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("title", &self.title)
            .field("media_type", &self.media_type)
            .field("bytes", &self.content.len())
            .finish_non_exhaustive()
    }
}

fn in_memory(title: Title, media_type: MediaType, content: Bytes) -> Result<Document, InvalidValue> {
    bounded(content.len())?;
    // Reading memory does not fail.
    let read = Document::new(title, media_type, DocumentContent::Memory(content));
    read.unwrap_or_else(|_| Err(InvalidValue::new("document", Rule::Utf8)))
}

/// Reads exactly `length` bytes.
fn read(mut reader: impl Read, length: u64) -> Result<std::io::Result<Vec<u8>>, InvalidValue> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    bounded(length)?;
    let mut content = vec![0; length];
    let read = reader.read_exact(&mut content).and_then(|()| match reader.read(&mut [0])? {
        0 => Ok(content),
        _ => Err(std::io::Error::other(format!("there is more than the {length} bytes that were announced"))),
    });
    Ok(read)
}

fn bounded(actual: usize) -> Result<(), InvalidValue> {
    if actual == 0 || actual > MAX_BYTES {
        return Err(InvalidValue::new("document", Rule::Bytes { max: MAX_BYTES, actual }));
    }
    Ok(())
}

/// The documents of a job: between 1 and 20, with at most 10 485 760 bytes in total.
///
/// ```
/// use posten_signering::{Document, Documents};
///
/// # let (contract, terms) = ("%PDF-1.4\n", "%PDF-1.4\n");
/// let documents = Documents::new([Document::pdf("Avtale", contract)?, Document::pdf("Vilkår", terms)?])?;
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug)]
pub struct Documents(Vec<Document>);

impl Documents {
    /// Creates a list of documents, in the order in which signers see them.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when there are none, more than 20, or more than 10 485 760 bytes in total.
    pub fn new(documents: impl IntoIterator<Item = Document>) -> Result<Self, InvalidValue> {
        let documents: Vec<Document> = documents.into_iter().collect();
        let actual = documents.len();
        if actual == 0 || actual > MAX_DOCUMENTS {
            return Err(InvalidValue::new("documents", Rule::Count { min: 1, max: MAX_DOCUMENTS, actual }));
        }
        let actual = documents.iter().map(|document| document.content.len()).sum();
        if actual > MAX_BYTES {
            return Err(InvalidValue::new("documents", Rule::Bytes { max: MAX_BYTES, actual }));
        }
        Ok(Self(documents))
    }

    /// Iterates over the documents, in the order in which signers see them.
    pub fn iter(&self) -> impl Iterator<Item = &Document> {
        self.0.iter()
    }
}

impl From<Document> for Documents {
    fn from(document: Document) -> Self {
        Self(vec![document])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PDF: &str = "%PDF-1.4\n";

    fn name(title: &str, file_name: Option<&str>) -> String {
        let document = Document::pdf(title, PDF).unwrap();
        match file_name {
            Some(name) => document.with_file_name(name).package_name(0),
            None => document.package_name(0),
        }
    }

    #[test]
    fn names_in_the_package_are_plain_ascii() {
        assert_eq!(name("Ærlig & <Åpen> avtale 😀", None), "01-aerlig-apen-avtale.pdf");
        assert_eq!(name("x", Some("../../etc/Pässwd.docx")), "01-etc-p-sswd.pdf");
        assert_eq!(name("😀", None), "01-document.pdf");
        assert_eq!(name("x", Some(".pdf")), "01-document.pdf");
        assert_eq!(name(&"ø".repeat(80), None).len(), 87);
    }

    #[test]
    fn documents_are_counted_and_weighed_together() {
        let document = Document::pdf("a", PDF).unwrap();
        let error = Documents::new(vec![document; 21]).unwrap_err();
        assert_eq!(error.to_string(), "documents: must be 1 to 20, are 21");
        let mut big = PDF.as_bytes().to_vec();
        big.resize(MAX_BYTES / 2 + 1, b' ');
        let big = Document::pdf("a", big).unwrap();
        let error = Documents::new([big.clone(), big]).unwrap_err();
        assert_eq!(error.to_string(), "documents: may have at most 10485760 bytes in total, have 10485762");
        let error = Document::pdf("a", "").unwrap_err();
        assert_eq!(error.to_string(), "document: must have 1 to 10485760 bytes, is empty");
    }

    #[test]
    fn a_reader_has_the_length_that_was_announced() {
        let read = |length| Document::pdf_from_reader("a", PDF.as_bytes(), length);
        assert_eq!(read(9).unwrap().bytes().unwrap(), PDF.as_bytes());
        assert!(matches!(read(8), Err(Error::Read(_))));
        assert!(matches!(read(10), Err(Error::Read(_))));
        assert!(matches!(read(u64::MAX), Err(Error::InvalidValue(_))));
    }
}
