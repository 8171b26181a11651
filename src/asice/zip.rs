//! Writes the headers of a ZIP with stored files (PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
//!
//! The files are not compressed: PDFs hardly shrink, and the service accepts both. So all sizes are known in advance,
//! and the content is sent without copying.

use bytes::Bytes;

use super::part::Part;

/// A file in the package.
pub(super) struct Entry<'n> {
    /// ASCII.
    pub(super) name: &'n str,
    pub(super) part: Part,
}

/// "Version needed to extract": 1.0, the lowest.
const VERSION: u16 = 10;

/// 1 January 1980, the earliest date. The signature of the package has the time.
const DATE: u16 = 0x21;

/// The files with their headers, and the central directory.
///
/// The documents of a job are far below the limits of this format, 4 GiB and 65 535 files.
pub(super) fn stored(entries: Vec<Entry<'_>>) -> Vec<Part> {
    let mut parts = Vec::with_capacity(2 * entries.len() + 1);
    let mut directory = Vec::new();
    let mut offset = 0_u32;
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    for Entry { name, part } in entries {
        let crc = match &part {
            Part::Written(bytes) => crc32fast::hash(bytes),
            Part::Document(_, crc) => *crc,
        };
        let size = u32::try_from(part.len()).unwrap_or(u32::MAX);
        let common = common(name, crc, size);

        directory.extend(b"PK\x01\x02");
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&common);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());

        let mut header = b"PK\x03\x04".to_vec();
        header.extend(&common);
        header.extend(name.as_bytes());
        offset += u32::try_from(header.len()).unwrap_or(u32::MAX) + size;
        parts.push(Part::Written(Bytes::from(header)));
        parts.push(part);
    }
    let size = u32::try_from(directory.len()).unwrap_or(u32::MAX);
    directory.extend(b"PK\x05\x06\0\0\0\0");
    directory.extend(count.to_le_bytes());
    directory.extend(count.to_le_bytes());
    directory.extend(size.to_le_bytes());
    directory.extend(offset.to_le_bytes());
    // No comment.
    directory.extend([0; 2]);
    parts.push(Part::Written(Bytes::from(directory)));
    parts
}

/// The fields that the local header and the directory entry of a file have in common.
fn common(name: &str, crc: u32, size: u32) -> Vec<u8> {
    let mut common = Vec::with_capacity(26);
    common.extend(VERSION.to_le_bytes());
    // No flags, stored, midnight.
    common.extend([0; 6]);
    common.extend(DATE.to_le_bytes());
    common.extend(crc.to_le_bytes());
    // The same, because it is stored.
    common.extend(size.to_le_bytes());
    common.extend(size.to_le_bytes());
    common.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
    // No extra field.
    common.extend([0; 2]);
    common
}
