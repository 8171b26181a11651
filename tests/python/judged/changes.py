"""Updates of a PDF, of every kind that may not follow a seal."""

import re

from . import pdf as p
from .pdf import in_catalog, newest, updated, with_entries

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="Another title"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def changes(w, pdf):
    """Updates of every kind, each with a name: none of them may follow a seal."""
    size = p.size_of(pdf)
    root = p.root_of(pdf)
    page_ = newest(pdf, 3)
    annotation = f"<< /Type /Annot /Subtype %s /P 3 0 R /AP << /N {size + 1} 0 R >> /F 4 /Contents (x) "
    annotation += "/Rect [72 680 400 720] %s>>"
    over = p.appearance("I owe you 900")

    def annotated(kind, more=""):
        annots = b"/Annots [%d 0 R" % size
        new = page_.replace(b"/Annots [", annots + b" ") if b"/Annots" in page_ else with_entries(page_, annots + b"]")
        return updated(pdf, {3: new, size: annotation % (kind, more), size + 1: over})

    yield "content", updated(pdf, {4: p.text("I owe you 900")})
    yield "content-array", updated(
        pdf, {3: page_.replace(b"/Contents 4 0 R", b"/Contents [4 0 R %d 0 R]" % size), size: p.text("0", 680)}
    )
    pages = newest(pdf, 2)
    count = int(re.search(rb"/Count (\d+)", pages).group(1))
    counted = lambda text, by: text.replace(b"/Count %d" % count, b"/Count %d" % (count + by))
    more = counted(pages.replace(b"/Kids [", b"/Kids [%d 0 R " % size), 1)
    yield "page-added", updated(pdf, {2: more, size: p.page(size + 1), size + 1: p.text("I owe you 900")})
    yield "page-removed", updated(pdf, {2: counted(pages.replace(b"/Kids [3 0 R", b"/Kids ["), -1)})
    yield "page-rotated", updated(pdf, {3: with_entries(page_, "/Rotate 180")})
    yield "page-cropped", updated(pdf, {3: with_entries(page_, "/CropBox [0 0 595 600]")})
    yield "page-resources", updated(
        pdf, {3: page_.replace(b"/F1 5 0 R", b"/F1 %d 0 R" % size), size: p.FONT.replace("Helvetica", "Symbol")}
    )
    yield "font", updated(pdf, {5: p.FONT.replace("Helvetica", "Symbol")})
    yield "free-text", annotated("/FreeText", "/DA (/F1 18 Tf)")
    yield "stamp", annotated("/Stamp")
    yield "redaction", annotated("/Redact")
    yield "link", annotated("/Link", "/A << /S /URI /URI (https://example.com) >>")
    yield "highlight", annotated("/Highlight", "/QuadPoints [72 700 400 700 72 680 400 680]")
    yield "open-action", in_catalog(pdf, "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>")
    yield "additional-actions", in_catalog(pdf, "/AA << /WP << /S /JavaScript /JS (x) >> >>")
    yield "attachment", in_catalog(
        pdf,
        f"/Names << /EmbeddedFiles << /Names [(a.txt) << /Type /Filespec /F (a.txt) /EF << /F {size} 0 R >> >>] >> >>",
        {size: p.stream("I owe you 900", "/Type /EmbeddedFile")},
    )
    yield "metadata", in_catalog(pdf, f"/Metadata {size} 0 R", {size: p.stream(XMP, "/Type /Metadata /Subtype /XML")})
    yield "language", in_catalog(pdf, "/Lang (nb)")
    yield "outlines", in_catalog(pdf, f"/Outlines {size} 0 R", {size: "<< /Type /Outlines /Count 0 >>"})
    yield "page-labels", in_catalog(pdf, "/PageLabels << /Nums [0 << /S /r >>] >>")
    yield "optional-content", in_catalog(pdf, "/OCProperties << /OCGs [] /D << >> >>")
    yield "viewer", in_catalog(pdf, "/ViewerPreferences << /HideToolbar true >>")
    yield "information", updated(pdf, {size: "<< /Title (Another title) >>"}, trailer=f"/Info {size} 0 R ")
    yield "field-added", field_added(pdf, size)
    yield "need-appearances", updated(pdf, appearances(pdf, root))
    yield "unknown-object", updated(pdf, {size: "<< /Type /Whatever >>"})
    yield "catalog-as-store", in_catalog(pdf, "/DSS << /Certs [4 0 R] >>", {4: p.text("I owe you 900")})


def form_of(pdf, root):
    """The number of the form, or of the catalog if it is in there, and its text."""
    found = re.search(rb"/AcroForm (\d+) 0 R", newest(pdf, root))
    number = int(found.group(1)) if found else root
    return number, newest(pdf, number)


def appearances(pdf, root):
    number, text = form_of(pdf, root)
    if number == root:
        return {root: text.replace(b"/AcroForm <<", b"/AcroForm << /NeedAppearances true")}
    return {number: with_entries(text, "/NeedAppearances true")}


def field_added(pdf, size):
    number, text = form_of(pdf, p.root_of(pdf))
    field = "<< /FT /Tx /T (New) /V (900) /Type /Annot /Subtype /Widget /Rect [72 500 200 520] /P 3 0 R >>"
    found = re.search(rb"/Fields (\d+) 0 R", text)
    if found:
        number = int(found.group(1))
        text = newest(pdf, number)
        return updated(pdf, {number: text[:-1] + b" %d 0 R]" % size, size: field})
    return updated(pdf, {number: re.sub(rb"/Fields \[", b"/Fields [%d 0 R " % size, text), size: field})
