//! Originals of each form that a PDF may have, taken over.

use super::original::{Original, Room, take};
use crate::pdf::{File, Object, Value, Writer, entries};

/// A PDF of these objects, numbered from 1, the first being the catalog. The trailer has this besides.
fn written(objects: &[&str], trailer: &str) -> Vec<u8> {
    let (mut out, mut table) = (String::from("%PDF-1.7\n"), String::from("0000000000 65535 f \n"));
    for (at, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", out.len());
        out += &format!("{} 0 obj\n{object}\nendobj\n", at + 1);
    }
    let (start, count) = (out.len(), objects.len() + 1);
    out += &format!("xref\n0 {count}\n{table}trailer\n<< /Root 1 0 R /Size {count} {trailer} >>\n");
    out += &format!("startxref\n{start}\n%%EOF\n");
    out.into_bytes()
}

fn stream(dictionary: &str, content: &str) -> String {
    format!("<< {dictionary} /Length {} >>\nstream\n{content}\nendstream", content.len())
}

/// The pages of an original, and a file with nothing else in it.
fn taken(original: &[u8]) -> Option<(Vec<Original>, Vec<u8>)> {
    let mut pdf = Writer::new();
    let root = pdf.id();
    let pages = take(&mut pdf, original, &mut Room::for_one_job())?.pages;
    let forms = pages.iter().flat_map(|page| &page.forms);
    pdf.put(root, entries! { "Forms" => Value::array(forms.map(|(form, _)| *form)) });
    pdf.end(root, b"");
    Some((pages, pdf.into_bytes()))
}

/// The content of each page.
fn contents(original: &[u8]) -> Vec<String> {
    let (pages, bytes) = taken(original).expect("pages");
    let file = File::new(&bytes).expect("a file");
    let view = file.whole().expect("a file");
    let content = |page: &Original| {
        let Ok(Object::Stream(dictionary, start)) = view.object(page.forms[0].0) else { panic!("a form") };
        let content = view.decoded(&dictionary, start, 1_000).expect("its content");
        String::from_utf8(content.into_owned()).expect("text")
    };
    pages.iter().map(content).collect()
}

const CATALOG: &str = "<< /Type /Catalog /Pages 2 0 R >>";

#[test]
fn what_a_page_is_drawn_with_is_copied_once_and_its_file_is_not() {
    let resources = "<< /XObject << /A 6 0 R >> /Properties << /Page 3 0 R /None 99 0 R >> >>";
    let original = written(
        &[
            CATALOG,
            &format!("<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /Resources {resources} >>"),
            "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Annots [7 0 R] >>",
            "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Group << /S /Transparency >> >>",
            &stream("", "/A Do"),
            // A form that refers to itself.
            &stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /A 6 0 R >> >>", "here"),
            "<< /Subtype /Stamp /Rect [0 0 9 9] /AP << /N << /On 8 0 R /Off 9 0 R >> >> /AS /On >>",
            &stream("/BBox [0 0 9 9] /Filter /ASCIIHexDecode", "717320>"),
            &stream("/BBox [0 0 9 9]", "not shown"),
            &stream("", "nothing leads here"),
        ],
        "",
    );
    let (pages, bytes) = taken(&original).expect("pages");
    let text = String::from_utf8_lossy(&bytes);
    let count = |words: &str| text.matches(words).count();
    assert_eq!((pages[0].forms.len(), pages[1].forms.len()), (2, 1));
    assert!(pages[0].group.is_none() && pages[1].group.is_some());
    assert_eq!((count("\n/A Do\n"), count("\nhere\n"), count("/Transparency")), (2, 1, 1));
    // Each form has what says that it is one.
    assert_eq!((count("\n717320>\n"), count("/Filter/ASCIIHexDecode"), count("/Subtype/Form")), (1, 1, 4));
    for gone in ["not shown", "nothing leads here", "/Type/Page", "/Catalog", "/Kids"] {
        assert_eq!(count(gone), 0, "{gone}");
    }
    assert_eq!(count("\nnull\n"), 2, "a page, and an object that is not there");
}

#[test]
fn the_parts_of_a_content_are_joined_whatever_their_filters_are() {
    let original = written(
        &[
            CATALOG,
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>",
            "[5 0 R 6 0 R 7 0 R 8 0 R]",
            &stream("", "plain"),
            &stream("/Filter /ASCII85Decode", "87cURD]i,\"Ebo80~>"),
            // LZW of nine bits a code, in hexadecimal.
            &stream("/Filter [/AHx 9 0 R]", "800B6050220C0C8501>"),
            &stream("/Filter /RunLengthDecode /DecodeParms null", "\u{2}abc\u{1}de"),
            "/LZWDecode",
        ],
        "",
    );
    assert_eq!(contents(&original), ["plain\nHello World!\n-----A---B\nabcde\n"]);
    for broken in [stream("/Filter /DCTDecode", "plain"), stream("/Filter /Fl", "plain"), "[]".to_owned()] {
        let pages = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>";
        let page = "<< /Type /Page /Parent 2 0 R /Contents [4 0 R 4 0 R] >>";
        assert!(taken(&written(&[CATALOG, pages, page, &broken], "")).is_none(), "{broken}");
    }
}

#[test]
fn pages_are_taken_from_nested_trees_and_from_streams_of_objects() {
    let page = |content: &str| format!("<< /Type /Page /Contents {content} 0 R >>");
    let nested = written(
        &[
            CATALOG,
            "<< /Type /Pages /Kids [3 0 R 4 0 R 6 0 R] /Count 3 >>",
            &page("7"),
            "<< /Type /Pages /Kids [5 0 R] /Count 1 /Parent 2 0 R >>",
            &page("8"),
            &page("9"),
            &stream("", "first"),
            &stream("", "second"),
            "null",
        ],
        "",
    );
    assert_eq!(contents(&nested), ["first", "second", ""]);

    // Catalog, tree and page in one stream, and the cross-references in another.
    let objects = [CATALOG, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", &page("5")];
    let offsets = [0, objects[0].len() + 1, objects[0].len() + objects[1].len() + 2];
    let index: String = offsets.iter().enumerate().map(|(at, offset)| format!("{} {offset} ", at + 1)).collect();
    let packed = format!("{index}{}", objects.join(" "));
    let mut out = String::from("%PDF-1.5\n");
    let mut rows = String::from("00 0000 00 02 0004 00 02 0004 01 02 0004 02 ");
    let packed = stream(&format!("/Type /ObjStm /N 3 /First {}", index.len()), &packed);
    for (number, object) in [(4, packed), (5, stream("", "in a stream"))] {
        rows += &format!("01 {:04X} 00 ", out.len());
        out += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let start = out.len();
    rows += &format!("01 {start:04X} 00>");
    let rows: Vec<u8> = rows.split(['>', ' ']).collect::<String>().as_bytes().chunks(2).map(unhex).collect();
    let mut out = out.into_bytes();
    let head = format!("6 0 obj\n<< /Type /XRef /W [1 2 1] /Size 7 /Root 1 0 R /Length {} >>\nstream\n", rows.len());
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(&rows);
    out.extend_from_slice(format!("\nendstream\nendobj\nstartxref\n{start}\n%%EOF\n").as_bytes());
    assert_eq!(contents(&out), ["in a stream"]);
}

fn unhex(digits: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(digits).expect("digits"), 16).expect("digits")
}

#[test]
fn what_is_encrypted_or_endless_is_not_taken_and_leaves_nothing_behind() {
    let page = "<< /Type /Page /Contents 4 0 R >>";
    let pages = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>";
    let whole = |trailer: &str| written(&[CATALOG, pages, page, &stream("", "q Q"), "<< /V 4 >>"], trailer);
    assert!(taken(&whole("")).is_some());
    let loops = "<< /Type /Pages /Kids [2 0 R 2 0 R 3 0 R] /Count 1 >>";
    let length = "<< /Length 99999 >>\nstream\nq Q\nendstream";
    let mut pdf = Writer::new();
    let before = pdf.bytes().to_vec();
    for original in [
        whole("/Encrypt 5 0 R"),
        written(&[CATALOG, loops, page, &stream("", "q Q")], ""),
        written(&[CATALOG, pages, page, length], ""),
        // The page is fine, and what it is drawn with is not.
        written(&[CATALOG, pages, "<< /Type /Page /Resources << /XObject << /A 4 0 R >> >> >>", length], ""),
        written(&[CATALOG, "<< /Type /Pages /Kids [] /Count 0 >>"], ""),
        written(&["<< /Type /Catalog >>"], ""),
    ] {
        let text = String::from_utf8_lossy(&original).into_owned();
        assert!(take(&mut pdf, &original, &mut Room::for_one_job()).is_none(), "{text}");
        assert_eq!(pdf.bytes(), before, "{text}");
    }
    let first = pdf.id();
    assert_eq!(first.0, 1, "the numbers are free again");
}
