//! Takes a multipart body apart (RFC 2046, section 5.1), which is in memory as a whole.

use bytes::Bytes;

/// The maximum number of parts that are read. No request has more than two.
const MAX_PARTS: usize = 3;

/// The parts of a body, each with its media type without parameters. `None`: the body is damaged.
pub(super) fn parts(body: &Bytes, boundary: &str) -> Option<Vec<(String, Bytes)>> {
    let mut parts = Vec::new();
    // What stands before the first boundary belongs to no part.
    let mut at = match behind(boundary, body, 0) {
        Some(at) => at,
        None => delimiter(boundary, body, 0)?.1,
    };
    // Two hyphens end the last part.
    while !body[at..].starts_with(b"--") && parts.len() < MAX_PARTS {
        let headers = line_end(body, at)?;
        let content = content(body, headers)?;
        let (end, next) = delimiter(boundary, body, content)?;
        parts.push((media_type(&body[headers..content])?, body.slice(content..end)));
        at = next;
    }
    Some(parts)
}

/// The start and the end of the next line break and boundary.
fn delimiter(boundary: &str, body: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut start = from;
    loop {
        start += body.get(start..)?.iter().position(|byte| *byte == b'\r')?;
        if body[start..].starts_with(b"\r\n")
            && let Some(end) = behind(boundary, body, start + 2)
        {
            return Some((start, end));
        }
        start += 1;
    }
}

/// The end of the boundary that starts here. The end of its line follows, or two hyphens.
fn behind(boundary: &str, body: &[u8], start: usize) -> Option<usize> {
    let rest = body[start..].strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    let at = body.len() - rest.len();
    (rest.starts_with(b"--") || line_end(body, at).is_some()).then_some(at)
}

/// The start of the next line, if nothing but white space stands before it.
fn line_end(body: &[u8], at: usize) -> Option<usize> {
    let rest = &body[at..];
    let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    rest[padding..].starts_with(b"\r\n").then_some(at + padding + 2)
}

/// The start of the content after the headers.
fn content(body: &[u8], headers: usize) -> Option<usize> {
    let mut line = headers;
    while !body[line..].starts_with(b"\r\n") {
        line += body[line..].windows(2).position(|window| window == b"\r\n")? + 2;
    }
    Some(line + 2)
}

fn media_type(headers: &[u8]) -> Option<String> {
    let headers = std::str::from_utf8(headers).ok()?;
    let mut headers = headers.lines().filter_map(|line| line.split_once(':'));
    let kind = headers.find(|(name, _)| name.eq_ignore_ascii_case("Content-Type"));
    let kind = kind.and_then(|(_, value)| value.split(';').next()).unwrap_or_default();
    Some(kind.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Vec<(String, String)>> {
        let parts = parts(&Bytes::copy_from_slice(body.as_bytes()), "x y")?;
        Some(parts.into_iter().map(|(kind, bytes)| (kind, String::from_utf8_lossy(&bytes).into_owned())).collect())
    }

    #[test]
    fn parts_are_what_stands_between_boundaries() {
        let part = |kind: &str, content: &str| (kind.to_owned(), content.to_owned());
        let two = [part("application/xml", "<a/>"), part("", "b\r\n--x yz\r\n--\r\n")];
        for body in [
            "--x y\r\nContent-Type: application/xml\r\n\r\n<a/>\r\n--x y\r\n\r\nb\r\n--x yz\r\n--\r\n\r\n--x y--",
            "before\r\n--x y \t\r\nA: b\r\ncontent-type:Application/XML; charset=utf-8\r\n\r\n<a/>\r\n--x y\r\n\r\n\
             b\r\n--x yz\r\n--\r\n\r\n--x y--\r\nafter",
        ] {
            assert_eq!(read(body).as_deref(), Some(two.as_slice()), "{body}");
        }
        assert_eq!(read("--x y--"), Some(vec![]));
        assert_eq!(read("--x y\r\n\r\n\r\n--x y--"), Some(vec![part("", "")]));
        let many = format!("--x y{}--", "\r\n\r\na\r\n--x y".repeat(9));
        assert_eq!(read(&many).map(|parts| parts.len()), Some(MAX_PARTS));
    }

    #[test]
    fn a_body_that_does_not_end_is_damaged() {
        let whole = "--x y\r\nContent-Type: a/b\r\n\r\ncontent\r\n--x y--";
        assert!(read(whole).is_some());
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "{}", &whole[..end]);
        }
        for body in ["\r\n\r\n", "--x y\n\na\n--x y--", "--x y\r\na\r\n--x y--"] {
            assert_eq!(read(body), None, "{body}");
        }
    }
}
