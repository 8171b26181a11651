"""Documents that somebody prepared before they were sealed, so that an update that seems to be of long-term validation
alone changes what is shown: by objects with two roles, and by references that lead to nothing until then.

What these have is what PDF writers do not write: so they are made byte by byte, sealed in one revision."""

import hashlib
import re

from . import cms, pdf as p
from .pdf import newest, stream, text, with_entries
from .pki import NOW, crl, token

EVIL = "I owe you 900"
ZEROS = b"0" * 12_000
RANGE = b"[0 9999999999 9999999999 9999999999]"
FORM = "/AcroForm << /Fields [20 0 R] /SigFlags 3 >> "
OVER = "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >>"


def updated(pdf, objects, **options):
    return p.updated(pdf, objects, root=1, **options)


def field(value, name="Signature1", rect="[0 0 0 0]", more=""):
    return f"<< /FT /Sig /T ({name}) /V {value} 0 R /Type /Annot /Subtype /Widget /Rect {rect} /P 3 0 R {more}>>"


def value(kind="ETSI.CAdES.detached", more=""):
    name = "/DocTimeStamp" if kind == "ETSI.RFC3161" else "/Sig"
    more += f"/M (D:{NOW.strftime('%Y%m%d%H%M%S')}Z) "
    head = f"<< /Type {name} /Filter /Adobe.PPKLite /SubFilter /{kind} {more}/ByteRange ".encode()
    return head + RANGE + b" /Contents <" + ZEROS + b"> >>"


def filled(pdf, make, numbers=None):
    """Fills in the one signature that is still to be made. `numbers` may change what it covers."""
    start = pdf.index(b"<" + ZEROS + b">")
    end = start + len(ZEROS) + 2
    numbers = numbers(start, end, len(pdf)) if numbers else [0, start, end, len(pdf) - end]
    range_ = b"[%s]" % b" ".join(b"%d" % number for number in numbers)
    pdf = pdf.replace(RANGE, range_.ljust(len(RANGE)))
    parts = zip(numbers[::2], numbers[1::2])
    digits = make(b"".join(pdf[at : at + length] for at, length in parts)).hex().encode()
    return pdf[: start + 1] + digits.ljust(len(ZEROS), b"0") + pdf[end - 1 :]


def sealed(w, pdf, numbers=None):
    make = lambda covered: cms.signed_data(w.seal, hashlib.sha256(covered).digest())
    return filled(pdf, make, numbers)


def objects(catalog="", form=FORM, page="", content=None, more=None, seal=None):
    """As those of pdf.plain, with the field 20 and the signature 21."""
    made = p.plain(catalog=form + catalog, page_more="/Annots [20 0 R] " + page)
    made |= {20: field(21), 21: seal or value()} | (more or {})
    if content:
        made[4] = content
    return made


def written(objects, moved=None, trailer="", last=None, hidden=()):
    """A file whose objects stand elsewhere than the cross-references say, for some numbers. `last` stands behind the
    trailer, up to the end of the file and beyond."""
    out, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", {}
    for number, content in objects.items():
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + p.encoded(content) + b"\nendobj\n"
    start, size = len(out), max(objects) + 1
    places = {number: at for number, at in places.items() if number not in hidden} | (moved or {})
    size = max([size] + [number + 1 for number in places])
    table = f"xref\n0 {size}\n0000000000 65535 f \n"
    lines = [f"{places[one]:010} 00000 n \n" if one in places else "0000000000 65535 f \n" for one in range(1, size)]
    tail = f"trailer\n<< /Root 1 0 R /Size {size} {trailer}>>\n"
    if last:
        number, content = last
        behind = start + len(table) + 20 * (size - 1) + len(tail)
        lines[number - 1] = f"{behind:010} 00000 n \n"
        tail += f"{number} 0 obj\n{content}"
    return out + (table + "".join(lines) + tail + f"startxref\n{start}\n%%EOF\n").encode()


def packed(objects, in_stream, number, exists=True):
    """A file with cross-references in a stream, and some objects in an object stream."""
    out, rows = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", {0: (0, 0, 65535)}
    inside = [p.encoded(objects[one]) for one in in_stream]
    if exists:
        objects = objects | {number: object_stream(in_stream, inside)}
    for one, content in objects.items():
        if one in in_stream:
            rows[one] = (2, number, in_stream.index(one))
            continue
        rows[one] = (1, len(out), 0)
        out += f"{one} 0 obj\n".encode() + p.encoded(content) + b"\nendobj\n"
    start, own = len(out), max(objects) + 11
    rows[own] = (1, start, 0)
    table = b"".join(
        bytes([kind]) + second.to_bytes(4, "big") + third.to_bytes(2, "big") for kind, second, third in
        (rows[one] for one in sorted(rows))
    )
    index = " ".join(f"{one} 1" for one in sorted(rows))
    head = f"/Type /XRef /W [1 4 2] /Index [{index}] /Size {own + 1} /Root 1 0 R"
    return out + f"{own} 0 obj\n".encode() + stream(table, head) + f"\nendobj\nstartxref\n{start}\n%%EOF\n".encode()


def object_stream(numbers, contents, more=""):
    index, body = "", b""
    for number, content in zip(numbers, contents):
        index += f"{number} {len(body)} "
        body += content + b"\n"
    return stream(index.encode() + body, f"/Type /ObjStm /N {len(numbers)} /First {len(index)} {more}")


def timestamped(w, pdf, update, more="", rect="[0 0 0 0]", number=40, page=True, **options):
    """With a document timestamp in a field that is given, and further objects."""
    root = re.sub(rb"/Fields \[", b"/Fields [%d 0 R " % number, newest(pdf, 1)) if number == 40 else newest(pdf, 1)
    root = re.sub(rb"/Fields \[%d 0 R 20 0 R" % number, b"/Fields [20 0 R %d 0 R" % number, root)
    made = {1: root, number: field(41, "Timestamp1", rect, more), 41: value("ETSI.RFC3161")}
    if page and number == 40:
        made[3] = newest(pdf, 3).replace(b"/Annots [20 0 R]", b"/Annots [20 0 R 40 0 R]")
    return filled(updated(pdf, made | update, **options), lambda covered: token(covered, w.tsa))


def stores(files, w):
    """What the document security store has, and something else, too."""
    add = lambda name, made: files.hostile(f"prepared-{name}", made)
    # The page is in an object stream that is a "certificate" of the store.
    other = p.page(7).encode()
    hidden = {7: text(EVIL)}
    store = "/DSS << /Certs [10 0 R] >> "
    one = sealed(w, packed(objects(store, more=hidden), [3], 10))
    add("object-stream-as-certificate", updated(one, {10: object_stream([3], [other])}))
    # The object stream of a second page is missing, and comes with the update.
    two = objects(more=hidden | {6: p.page(7)})
    two[2] = "<< /Type /Pages /Kids [3 0 R 6 0 R] /Count 2 >>"
    one = sealed(w, packed(two, [6], 10, exists=False))
    add("object-stream-missing", updated(one, {10: object_stream([6], [p.encoded(two[6])])}))
    one = sealed(w, written(objects("/DSS << /Certs [3 0 R] >> ")))
    add("page-as-certificate", updated(one, {4: text(EVIL)}))
    one = sealed(w, written(objects("/DSS << /Certs [4 0 R] >> ")))
    add("content-as-certificate", updated(one, {4: text(EVIL)}))
    # In a dictionary inside the catalog.
    file = "(a.txt) << /Type /Filespec /F (a.txt) /EF << /F 9 0 R >> >>"
    names = f"/Names << /EmbeddedFiles << /Names [{file}] >> >> /DSS << /Certs [9 0 R] >> "
    attached = lambda content: stream(content, "/Type /EmbeddedFile")
    one = sealed(w, written(objects(names, more={9: attached("I owe you 100")})))
    add("attachment-as-certificate", updated(one, {9: attached(EVIL)}))
    xfa = FORM.replace(">>", "/XFA 9 0 R >>") + "/DSS << /Certs [9 0 R] >> "
    one = sealed(w, written(objects(form=xfa, more={9: stream("<xdp>100</xdp>")})))
    add("xfa-as-certificate", updated(one, {9: stream("<xdp>900</xdp>")}))
    action = "/OpenAction << /S /JavaScript /JS 9 0 R >> /DSS << /Certs [9 0 R] >> "
    one = sealed(w, written(objects(action, more={9: stream("1")})))
    add("script-as-certificate", updated(one, {9: stream("app.alert\\(1\\)")}))


def roles(files, w):
    """Objects with two roles, of which one may change."""
    add = lambda name, made: files.hostile(f"prepared-{name}", made)
    drawing = lambda name: stream(f"BT /F1 18 Tf 72 700 Td (I owe you 100) Tj ET /{name} Do")
    over = {8: stream("", OVER), 9: stream(f"1 1 1 rg 0 0 595 842 re f BT /F1 18 Tf 72 700 Td ({EVIL}) Tj ET", OVER)}
    resources = lambda number: f"/Resources << /Font << /F1 5 0 R >> /XObject {number} 0 R >> "
    page = lambda number: p.page(4, "/Annots [20 0 R] ").replace(
        "/Resources << /Font << /F1 5 0 R >> >> ", resources(number)
    )
    same = text(EVIL)
    form = same.replace(b"<< ", b"<< /Fields [20 0 R] /SigFlags 3 ")
    before = text("I owe you 100").replace(b"<< ", b"<< /Fields [20 0 R] /SigFlags 3 ")
    one = sealed(w, written(objects(form="/AcroForm 4 0 R ", content=before)))
    add("content-as-form", updated(one, {4: form}))
    one = sealed(w, written(objects(), trailer="/Info 4 0 R "))
    add("content-as-information", updated(one, {4: same}, trailer="/Info 4 0 R "))
    flags = lambda number: f"<< /Fields [20 0 R] /SigFlags {number} 0 R >>"
    made = objects(form="/AcroForm 22 0 R ", content=drawing("SigFlags"), more=over | {22: flags(8)})
    one = sealed(w, written(made | {3: page(22)}))
    add("resources-as-form", updated(one, {22: flags(9)}))
    one = sealed(w, written(objects(content=drawing("DSS"), more=over) | {3: page(1)}))
    add("resources-as-catalog", updated(one, {1: with_entries(newest(one, 1), "/DSS 9 0 R")}))
    one = sealed(w, written(objects(content=drawing("Extensions"), more=over) | {3: page(1)}))
    add("resources-as-catalog-extensions", updated(one, {1: with_entries(newest(one, 1), "/Extensions 9 0 R")}))
    info = lambda number: f"<< /Producer {number} 0 R >>"
    made = objects(content=drawing("Producer"), more=over | {22: info(8)})
    one = sealed(w, written(made | {3: page(22)}, trailer="/Info 22 0 R "))
    add("resources-as-information", updated(one, {22: info(9)}, trailer="/Info 22 0 R "))
    # An overlay stands where annotations do, and goes with the first annotation.
    covering = {8: stream("1 1 1 rg 0 0 595 842 re f", OVER)}
    made = objects(content=stream(f"BT /F1 18 Tf 72 700 Td ({EVIL}) Tj ET /Annots Do"), more=covering)
    made[3] = page(3).replace("/Annots [20 0 R]", "/Annots 8 0 R")
    one = sealed(w, written(made))
    shown = newest(one, 3).replace(b"/Annots 8 0 R", b"/Annots [40 0 R]")
    add("resources-as-page", timestamped(w, one, {3: shown}))
    # The fonts of the page are an empty field, which a timestamp fills in.
    fonts = "<< /FT /Sig /T (Fonts) /F1 5 0 R /F 5 0 R /P 6 0 R >>"
    made = objects(
        form="/AcroForm << /Fields [20 0 R 22 0 R] /SigFlags 3 >> ",
        content=stream("BT /F 18 Tf 72 700 Td (I owe you 100) Tj ET"),
        more={6: p.FONT.replace("Helvetica", "Symbol"), 22: fonts},
    )
    made[3] = p.page(4, "/Annots [20 0 R] ").replace("/Font << /F1 5 0 R >>", "/Font 22 0 R")
    one = sealed(w, written(made))
    filled_in = fonts.replace("/F 5 0 R", "/F 6 0 R").replace(">>", "/V 41 0 R >>")
    add("fonts-as-field", timestamped(w, one, {22: filled_in}, number=22))


def behind(files, w):
    """References of the sealed revision that lead behind its end, where anybody can put something."""
    add = lambda name, made: files.hostile(f"prepared-{name}", made)
    far = 60_000
    evil = b"4 0 obj\n" + text(EVIL) + b"\nendobj\n"
    store = lambda made, number: {1: with_entries(newest(made, 1), f"/DSS << /Certs [{number} 0 R] >>")}

    def inside(made, content):
        """An update whose store has a "certificate" with this at the offset."""
        head = updated(made, {30: stream(b"\0")}, table=False)
        at = head.rindex(b"stream\n", 0, head.rindex(b"endstream")) + len("stream\n")
        padded = b" " * (far - at - 8)
        for extra in range(40):
            update = updated(made, store(made, 30) | {30: stream(padded + b" " * extra + content)})
            if update.find(content) == far:
                return update
        # The catalog stands before it: by as much.
        update = updated(made, store(made, 30) | {30: stream(padded + content)})
        shift = update.find(content) - far
        return updated(made, store(made, 30) | {30: stream(padded[shift:] + content)})

    one = sealed(w, written(objects(), moved={4: far}))
    add("offset-behind", inside(one, evil))
    # The stream beside the table, and what it leads to, which stands in the sealed part.
    hidden = objects(more={7: text(EVIL)})
    made = written(hidden, hidden=[4], trailer=f"/XRefStm {far} ")
    at = made.index(b"\n7 0 obj") + 1
    made = made.replace(b"7 0 obj\n", b"4 0 obj\n").replace(f"{at:010} 00000 n".encode(), b"0000000000 65535 f")
    one = sealed(w, made)
    rows = bytes([1]) + at.to_bytes(4, "big") + bytes([0])
    beside = b"31 0 obj\n" + stream(rows, "/Type /XRef /W [1 4 1] /Index [4 1] /Size 32 /Root 1 0 R") + b"\nendobj\n"
    add("stream-of-references-behind", inside(one, beside))
    # A dictionary whose string goes on, up to a comment of the update.
    start = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Open (\n"
    one = sealed(w, written(objects(more={7: text(EVIL)}), last=(3, start)))
    closed = one + b"%) /Contents 7 0 R >> endobj\n"
    add("page-goes-on", updated(closed, {}))
    # A stream whose content goes on.
    long = sealed(w, written(objects(), last=(4, "<< /Length 2000 >>\nstream\n")))
    begin = long.rindex(b"stream\n") + len("stream\n")
    show = b"\nBT /F1 18 Tf 72 700 Td (I owe you 900) Tj ET\n"
    head = updated(long, {30: b""}, table=False)
    gap = begin + 2000 - len(head)
    filler = show + b" " * (gap - len(show) - 60)
    for extra in range(120):
        content = stream(filler + b" " * extra + b"endstream endobj")
        update = updated(long, {30: content} | store(long, 30))
        if update[begin + 2000 :].startswith(b"endstream endobj"):
            add("content-goes-on", update)
            break
    else:
        raise AssertionError("no place for it")


def views(files, w):
    """Cross-references, lengths and headers by which readers find two documents."""
    add = lambda name, made: files.hostile(f"prepared-{name}", made)
    # One content with two dictionaries, of which the second one stands in a string of the first.
    shown = "/Type /XObject /Subtype /Form /Resources << /Font << /F1 5 0 R >> >>"
    drawing = stream("/Over Do BT /F1 18 Tf 72 680 Td (to Kari) Tj ET")
    body = f"BT /F1 18 Tf 72 700 Td ({EVIL}) Tj ET"
    both = f"<< /BBox [0 0 0 0] /Twice (\n8 0 obj\n<< /BBox [0 0 595 842] %)\n{shown} /Length {len(body)} >>\nstream\n"
    made = objects(content=drawing, more={8: f"{both}{body}\nendstream"})
    page = p.page(4, "/Annots [20 0 R] ").replace("/F1 5 0 R >>", "/F1 5 0 R >> /XObject << /Over 8 0 R >>")
    one = sealed(w, written(made | {3: page}))
    start = len(one)
    at = one.index(b"(\n8 0 obj") + 2
    prev = int(re.findall(rb"startxref\s+(\d+)", one)[-1])
    tail = f"xref\n8 1\n{at:010} 00000 n \ntrailer\n<< /Root 1 0 R /Size {p.size_of(one)} /Prev {prev} >>\n"
    add("two-dictionaries", one + tail.encode() + f"startxref\n{start}\n%%EOF\n".encode())
    # Linearized, as soon as the file is as long as it says.
    hidden = objects(more={7: text(EVIL)})
    first = written(hidden)
    length = 40_000
    fast = b"50 0 obj\n<< /Linearized 1 /L %d /H [0 0] /O 3 /E 0 /N 1 /T 0 >>\nendobj\n" % length
    head = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    rest = first[len(head) :]
    table = rest[rest.index(b"xref\n0 ") : rest.index(b"startxref")]
    moved = lambda by: re.sub(rb"(\d{10}) 00000 n", lambda one: b"%010d 00000 n" % (int(one.group(1)) + by), table)
    shift = len(fast) + len(table) + len(b"startxref\n0\n%%EOF\n")
    plain = moved(shift)
    evil = plain.replace(*(b"%010d 00000 n" % (first.index(b"\n%d 0 obj" % one) + 1 + shift) for one in (4, 7)), 1)
    out = head + fast + evil + b"startxref\n0\n%%EOF\n" + rest[: rest.index(b"xref\n0 ")]
    start = len(out)
    out += plain + b"startxref\n%d\n%%%%EOF\n" % start
    one = sealed(w, out)
    update = updated(one, {})
    body = update[len(one) :]
    pad = length - len(update)
    # White space before the update, which moves its place.
    place = int(re.findall(rb"startxref\s+(\d+)", update)[-1])
    body = body.replace(b"startxref\n%d" % place, b"startxref\n%d" % (place + pad))
    add("linearized-later", one + b" " * pad + body)
    # Readers that know the number of objects take those above it for missing.
    one = sealed(w, written(objects(content=drawing, more={8: stream("1 1 1 rg 0 0 595 842 re f", OVER)}) | {3: page}))
    small = updated(one, {}).replace(b"/Size 22 /Prev", b"/Size 8 /Prev")
    add("size", small)
    # The offsets of the cross-references count from the start, or from the header.
    junk = b"junk before the header\n"
    made = junk + written(objects())
    moved = re.sub(rb"(\d{10}) 00000 n", lambda one: b"%010d 00000 n" % (int(one.group(1)) + len(junk)), made)
    place = int(re.findall(rb"startxref\s+(\d+)", moved)[-1])
    add("header-moved", sealed(w, moved.replace(b"startxref\n%d" % place, b"startxref\n%d" % (place + len(junk)))))


def fields(files, w):
    """Fields of timestamps that are more than that."""
    add = lambda name, made: files.hostile(f"prepared-timestamp-{name}", made)
    one = sealed(w, written(objects()))
    evil = stream(f"1 1 1 rg 0 0 595 842 re f BT /F1 18 Tf 72 700 Td ({EVIL}) Tj ET", OVER)
    shown = "/F 4 /AP << /N 42 0 R >> "
    add("with-five-sides", timestamped(w, one, {42: evil}, shown, "[0 0 595 842 0]"))
    add("shown", timestamped(w, one, {42: evil}, shown, "[0 0 595 842]"))
    add("with-sides-elsewhere", timestamped(w, one, {42: evil, 43: "[0 0 595 842]"}, shown, "43 0 R"))
    kids = written(objects() | {2: "<< /Type /Pages /Kids 6 0 R /Count 1 >>", 6: "[3 0 R]"})
    one = sealed(w, kids)
    page = field(41, "Timestamp1").replace("/Annot", "/Page")
    add("as-page", timestamped(w, one, {40: page, 6: "[3 0 R 40 0 R]"}, page=False))


def ranges(files, w):
    """Signatures that are intact, over something odd."""
    add = lambda name, made: files.hostile(f"range-{name}", made)
    made = lambda more, numbers=None: sealed(w, written(objects(seal=value(more=more))), numbers)
    add("twice", made("/ByteRange [0 9 18 9] "))
    add("contents-twice", made("/Contents <00> "))
    add("overlap", made("", lambda start, end, length: [0, start, start - 500, length - start + 500]))
    add("reordered", made("", lambda start, end, length: [end, length - end, 0, start]))
    add("three-parts", made("", lambda start, end, length: [0, 100, 100, start - 100, end, length - end]))
    add("without-delimiters", made("", lambda start, end, length: [0, start + 1, end - 1, length - end + 1]))
    add("some-digits", made("", lambda start, end, length: [0, start, end - 101, length - end + 101]))
    add("not-to-the-end", made("", lambda start, end, length: [0, start, end, length - end - 7]))
    # All but its digits is covered, wherever it stands.
    files.good("range-in-object-stream", sealed(w, packed(objects(), [20, 21], 10)))
    one = sealed(w, written(objects()))
    size = p.size_of(one)
    evil = {4: text(EVIL)}
    add("no-endobj", updated(one, evil).replace(b"endstream\nendobj\nxref", b"endstream\nxref"))
    add("comment-with-object", updated(one + b"% 4 0 obj << >> endobj\n", evil))
    add("empty-object", updated(one, {size: ""}))


def make(files, w):
    # Without an update, and with one that may follow.
    plain = sealed(w, written(objects()))
    files.good("prepared-plain", plain)
    files.good("prepared-packed", sealed(w, packed(objects(), [3], 10)))
    files.good("prepared-stored", p.stored(plain, [w.ca], [crl(w.ca)]))
    files.good("prepared-timestamp", timestamped(w, plain, {}))
    stores(files, w)
    roles(files, w)
    behind(files, w)
    views(files, w)
    fields(files, w)
    ranges(files, w)
