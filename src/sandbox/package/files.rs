//! The files of a package, and their names.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use bytes::Bytes;
use zip::ZipArchive;

use crate::asice::SIGNATURES;
use crate::types::MAX_BYTES;
use crate::xml;

/// The files of a package, by their names.
pub(in super::super) type Files = BTreeMap<String, Bytes>;

/// Unpacks a ZIP as any tool writes it: entries in any order, stored or deflated, with extra fields, data descriptors
/// and entries for directories. Stored entries are slices of the package, and keep it in memory.
pub(in super::super) fn unpack(package: &Bytes) -> Result<Files, String> {
    let mut archive = ZipArchive::new(Cursor::new(package)).map_err(|_| "the package is not a ZIP".to_owned())?;
    let mut files = Files::new();
    let mut room = MAX_BYTES as u64 + 2 * xml::MAX_BYTES as u64;
    for at in 0..archive.len() {
        let file = archive.by_index(at).map_err(|_| "the ZIP is damaged or encrypted".to_owned())?;
        let name = file.name().map_err(|_| "a file name in the ZIP is not text".to_owned())?.into_owned();
        let start = file.data_start();
        let mut content = Vec::new();
        // The size in the header is not trusted.
        file.take(room + 1).read_to_end(&mut content).map_err(|_| format!("{name} is damaged"))?;
        let content = start.and_then(|at| slice(package, at, &content)).unwrap_or_else(|| content.into());
        room = room.checked_sub(content.len() as u64).ok_or("the package is too large when unpacked")?;
        // Directories have no content, and are ignored.
        if name.ends_with('/') && content.is_empty() {
            continue;
        }
        if files.insert(name.clone(), content).is_some() {
            return Err(format!("the ZIP has two files {name}"));
        }
    }
    if let Some(name) = files.keys().find(|name| name.starts_with("META-INF/") && *name != SIGNATURES) {
        return Err(format!("{name} is not permitted in META-INF"));
    }
    Ok(files)
}

/// The part of the package that begins here, if it is this content: so if it is stored.
fn slice(package: &Bytes, start: u64, content: &[u8]) -> Option<Bytes> {
    let part = package.get(usize::try_from(start).ok()?..)?.get(..content.len())?;
    (part == content).then(|| package.slice_ref(part))
}

/// The text of a file.
pub(in super::super) fn text<'f>(files: &'f Files, name: &str) -> Result<&'f str, String> {
    let file = files.get(name).ok_or_else(|| format!("the file {name} is missing"))?;
    std::str::from_utf8(file).map_err(|_| format!("{name} is not UTF-8"))
}

/// The file names that a name in a manifest or a reference may mean, most probable first: the name itself, or the
/// decoded name, in which some programs write a blank as `+`.
pub(super) fn decoded(name: &str) -> [String; 3] {
    let decode = |name: &str| {
        let name = name.replace('&', "%26").replace('=', "%3D");
        let mut pairs = url::form_urlencoded::parse(name.as_bytes());
        // A name without `=` parses as that of a pair without a value.
        pairs.next().map_or_else(String::new, |(name, _)| name.into_owned())
    };
    [name.to_owned(), decode(&name.replace('+', "%2B")), decode(name)]
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    #[test]
    fn what_is_stored_is_not_copied_wherever_the_zip_begins() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, method) in [("a.pdf", CompressionMethod::Stored), ("b.pdf", CompressionMethod::Deflated)] {
            writer.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
            writer.write_all(name.as_bytes()).unwrap();
        }
        let zip = writer.finish().unwrap().into_inner();
        for before in [&b""[..], b"PK, not yet"] {
            let package = Bytes::from([before, &zip].concat());
            let files = unpack(&package).unwrap();
            assert!(files.iter().all(|(name, content)| name.as_bytes() == content), "{files:?}");
            let is_copied = |name: &str| !package.as_ptr_range().contains(&files[name].as_ptr());
            assert_eq!([is_copied("a.pdf"), is_copied("b.pdf")], [false, true]);
        }
    }

    #[test]
    fn a_name_is_itself_or_its_url_encoded_form() {
        let is = |written: &str, name: &str| decoded(written).iter().any(|own| own == name);
        assert!(is("avtale.pdf", "avtale.pdf"));
        assert!(is("Avtale%20%C3%A6.pdf", "Avtale æ.pdf"));
        assert!(is("Min+avtale.pdf", "Min avtale.pdf") && is("a+b.pdf", "a+b.pdf") && is("a%2Bb.pdf", "a+b.pdf"));
        assert!(is("100%.pdf", "100%.pdf") && is("a=b&c.pdf", "a=b&c.pdf") && is("a%3Db%26c.pdf", "a=b&c.pdf"));
        assert!(!is("Avtale.pdf", "avtale.pdf"), "a capital is another letter");
    }
}
