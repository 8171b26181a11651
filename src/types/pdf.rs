//! Checks a PDF: header, version, encryption. Offsets and lengths in the file are not trusted.

use std::io;

use super::content::DocumentContent;
use crate::error::PdfProblem;

/// The maximum number of unterminated dictionaries in a window of a broken file. Each costs a scan of the window.
const ENDLESS: usize = 16;

/// Readers look for the header this far into a file (ISO 32000-1, annex H, note 13).
const HEADER_WITHIN: usize = 1024;

/// The size of the end of a file that is searched for its last cross-reference section, and of the part of it that is
/// read.
const WINDOW: usize = 1024 * 1024;

/// The overlap of two windows: the longest dictionary that is found across their border.
const OVERLAP: usize = 64 * 1024;

/// Checks a document. At most one window of it is in memory at a time.
pub(super) fn check(content: &DocumentContent) -> io::Result<Result<(), PdfProblem>> {
    let head = content.window(0, HEADER_WITHIN + 8)?;
    let searched = &head[..head.len().min(HEADER_WITHIN)];
    let Some(at) = find(searched, b"%PDF-") else { return Ok(Err(PdfProblem::NotPdf)) };
    match head.get(at + 5..at + 8) {
        Some([b'1', b'.', b'1'..=b'7']) => {}
        _ => return Ok(Err(PdfProblem::Version)),
    }
    Ok(if is_encrypted(content, at)? { Err(PdfProblem::Encrypted) } else { Ok(()) })
}

/// Whether the trailer names an encryption dictionary (ISO 32000-1, 7.5.5 and 7.5.8.2).
fn is_encrypted(content: &DocumentContent, header: usize) -> io::Result<bool> {
    // The last cross-reference section: a table with a trailer, or a stream whose dictionary is the trailer.
    let tail = content.window(content.len().saturating_sub(WINDOW), WINDOW)?;
    let offset = rfind(&tail, b"startxref").and_then(|at| number(&tail[at + 9..]));
    if let Some(offset) = offset {
        let section = content.window(header.saturating_add(offset), WINDOW)?;
        let dictionary = match find(&section, b"trailer") {
            Some(trailer) if trim_start(&section).starts_with(b"xref") => &section[trailer..],
            _ => &section,
        };
        if let Some((keys, _)) = dictionary_keys(dictionary) {
            return Ok(keys.contains(&b"Encrypt".as_slice()));
        }
    }
    // A broken file: readers rebuild it from any trailer they find, so check all of them.
    for at in (0..content.len()).step_by(WINDOW - OVERLAP) {
        if any_trailer_is_encrypted(&content.window(at, WINDOW)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn any_trailer_is_encrypted(content: &[u8]) -> bool {
    let mut rest = content;
    let mut endless = 0;
    while let Some(at) = find(rest, b"trailer") {
        rest = &rest[at + 7..];
        match dictionary_keys(rest) {
            Some((keys, _)) if keys.contains(&b"Encrypt".as_slice()) => return true,
            Some((_, after)) => rest = after,
            None => endless += 1,
        }
        if endless == ENDLESS {
            break;
        }
    }
    false
}

/// The keys of the first dictionary, without those of nested ones, and the rest. `None` when it is not terminated.
fn dictionary_keys(content: &[u8]) -> Option<(Vec<&[u8]>, &[u8])> {
    let mut at = find(content, b"<<")? + 2;
    let mut keys = Vec::new();
    let mut depth = 1_u32;
    while let Some(&byte) = content.get(at) {
        match (byte, content.get(at + 1)) {
            (b'<', Some(b'<')) => {
                depth += 1;
                at += 2;
            }
            (b'>', Some(b'>')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some((keys, &content[at..]));
                }
            }
            (b'(', _) => at = after_string(content, at)?,
            (b'%', _) => at += content[at..].iter().position(|b| matches!(b, b'\r' | b'\n'))?,
            (b'/', _) => {
                let name = &content[at + 1..];
                let end = name.iter().position(|b| b" \t\r\n\x0c\0/<>[](){}%".contains(b))?;
                if depth == 1 {
                    keys.push(&name[..end]);
                }
                at += 1 + end;
            }
            _ => at += 1,
        }
    }
    None
}

/// The position after a literal string: parentheses nest, a backslash escapes the next byte.
fn after_string(content: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_u32;
    loop {
        match content.get(at)? {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

fn number(content: &[u8]) -> Option<usize> {
    let content = trim_start(content);
    let end = content.iter().position(|b| !b.is_ascii_digit()).unwrap_or(content.len());
    std::str::from_utf8(&content[..end]).ok()?.parse().ok()
}

fn trim_start(content: &[u8]) -> &[u8] {
    content.trim_ascii_start()
}

fn find(content: &[u8], wanted: &[u8]) -> Option<usize> {
    content.windows(wanted.len()).position(|window| window == wanted)
}

fn rfind(content: &[u8], wanted: &[u8]) -> Option<usize> {
    content.windows(wanted.len()).rposition(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &[u8]) -> Result<(), PdfProblem> {
        super::check(&DocumentContent::Memory(content.to_vec().into())).unwrap()
    }

    fn with_trailer(dictionary: &str) -> Vec<u8> {
        let body = "%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n";
        format!("{body}xref\n0 1\ntrailer\n{dictionary}\nstartxref\n{}\n%%EOF", body.len()).into_bytes()
    }

    #[test]
    fn header_and_version() {
        assert_eq!(check(b""), Err(PdfProblem::NotPdf));
        assert_eq!(check(b"%PDF-"), Err(PdfProblem::Version));
        assert_eq!(check(b"%PDF-1.0\n"), Err(PdfProblem::Version));
        assert_eq!(check(b"%PDF-1.8\n"), Err(PdfProblem::Version));
        assert_eq!(check(b"%PDF-2.0\n"), Err(PdfProblem::Version));
        assert_eq!(check(b"\xef\xbb\xbf%PDF-1.1\n"), Ok(()));
    }

    #[test]
    fn encryption_is_a_key_of_the_trailer_and_of_nothing_else() {
        assert_eq!(check(&with_trailer("<< /Size 1 /Encrypt 5 0 R >>")), Err(PdfProblem::Encrypted));
        assert_eq!(check(&with_trailer("<< /Size 1 /X << /Encrypt 1 >> >>")), Ok(()));
        assert_eq!(check(&with_trailer("<< /Size 1 /X (a \\) /Encrypt (b)) >>")), Ok(()));
        assert_eq!(check(&with_trailer("<< /Encryption 1 >>")), Ok(()));
        let stream = b"%PDF-1.5\n7 0 obj\n<< /Type /XRef /Encrypt 5 0 R >>stream\nendstream\nstartxref\n9\n%%EOF";
        assert_eq!(check(stream), Err(PdfProblem::Encrypted));
    }

    #[test]
    fn a_file_of_nothing_but_trailers_is_read_in_one_go() {
        // Quadratic, this would take hours.
        for piece in ["trailer<<", "trailer<<>>", "trailer", "trailer<<(", "trailer<<%"] {
            let mut content = b"%PDF-1.4\n".to_vec();
            content.extend(piece.as_bytes().iter().cycle().take(2 * 1024 * 1024));
            assert_eq!(check(&content), Ok(()), "{piece}");
        }
    }

    #[test]
    fn a_broken_file_is_searched_for_trailers() {
        assert_eq!(check(b"%PDF-1.4\ntrailer << /Encrypt 1 0 R >>"), Err(PdfProblem::Encrypted));
        for broken in ["startxref\n99999999999999999999", "startxref\n5", "trailer <<", "startxref", "trailer << (\\"] {
            assert_eq!(check(format!("%PDF-1.4\n{broken}").as_bytes()), Ok(()));
        }
    }
}
