"""Documents that are wrong without anybody's malice: the wrong sealer, the wrong time, a broken signature."""

import subprocess
import tempfile
from io import BytesIO
from pathlib import Path

from asn1crypto import keys
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from . import cms, pdf as p, pki
from .pki import DAY, NOW, YEAR, Issued, crl, ocsp_response, revocation_info, token
from .pdf import plain, sign, stamped, stored, written


def sealers(files, w, source):
    add = files.bad
    add("stranger", sign(source, w.mallory))
    add("stranger-last", sign(sign(source, w.seal), w.mallory, "Signature2"))
    add("stranger-first", sign(sign(source, w.mallory), w.seal, "Signature2"))
    add("neighbor", sign(source, w.neighbor))
    add("neighbor-last", sign(sign(source, w.seal), w.neighbor, "Signature2"))
    add("self-signed", sign(source, Issued("Seal")))
    namesake = Issued("Root", is_ca=True, organization="Root AS")
    add("root-of-same-name", sign(source, Issued("Seal", namesake.authority("Issuing"))))
    add("without-issuer", sign(source, w.seal, certs=[w.seal]))
    add("without-certificate", sign(source, w.seal, certs=[w.ca]))
    add("without-any-certificate", sign(source, w.seal, certs=[]))
    add("ended", sign(source, w.old_ca_seal))
    add("not-yet", sign(source, Issued("Early", w.ca, start=NOW + DAY)))
    add("usage-encrypt", sign(source, w.not_for("Encrypt", usage=("key_encipherment",))))
    add("usage-authority", sign(source, w.not_for("Signs certificates", usage=("key_cert_sign",))))
    add("purpose-timestamps", sign(source, w.tsa_as_sealer))
    leaf = Issued("Below a leaf", w.seal)
    add("issued-by-a-leaf", sign(source, leaf))
    short = w.root.authority("Short", path=0)
    add("path-too-long", sign(source, Issued("Seal", short.authority("Long"))))
    unknown = (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5.6"), b"\x05\x00"), True)
    add("critical-extension", sign(source, Issued("Odd", w.ca, extensions=[unknown])))
    outside = x509.NameConstraints([x509.DirectoryName(pki.name("Somebody", "Somebody AS"))], None)
    narrow = w.root.authority("Narrow", extensions=[(outside, True)])
    add("name-constraints", sign(source, Issued("Seal", narrow)))
    expired_ca = w.root.authority("Expired", start=NOW - 2 * YEAR, end=NOW - DAY)
    add("authority-ended", sign(source, Issued("Seal", expired_ca)))
    no_signing = w.root.authority("Lists only", usage=("crl_sign",))
    add("authority-may-not-sign", sign(source, Issued("Seal", no_signing)))


def revoked(files, w, source):
    """Revoked before it was sealed, as each place for revocation values says."""
    add = files.bad
    since = NOW - 2 * DAY
    who = Issued("Revoked quietly", w.dark)
    lists = [crl(w.dark, [(who, since)]), crl(w.root)]
    responses = [ocsp_response(who, revoked=since)]
    for time, stamp in [("", None), ("-timestamped", (w.tsa, NOW - DAY))]:

        def one(**options):
            return sign(source, who, timestamp=stamp, **options)

        add(f"revoked-store-list{time}", stored(one(), [w.dark], lists))
        add(f"revoked-store-response{time}", stored(one(), [w.dark], [], responses))
        add(f"revoked-signed-list{time}", one(signed=[revocation_info(lists)]))
        add(f"revoked-signed-response{time}", one(signed=[revocation_info([], responses)]))
        add(f"revoked-unsigned-adobe{time}", one(unsigned=[revocation_info(lists)]))
        add(f"revoked-cades-list{time}", one(unsigned=[cms.revocation_values(lists)]))
        add(f"revoked-cades-response{time}", one(unsigned=[cms.revocation_values([], responses)]))
        add(f"revoked-cms-list{time}", one(crls=lists))
        add(f"revoked-cms-response{time}", one(others=responses))
    add("revoked-published", sign(source, w.revoked))
    add(
        "revoked-published-too",
        sign(source, w.revoked, signed=[revocation_info([crl(w.ca, [(w.revoked, w.when_revoked)])])]),
    )
    bad_ca = w.root.authority("Revoked authority")
    below = Issued("Seal", bad_ca)
    # Newer than the list that is published.
    ca_lists = [crl(bad_ca), crl(w.root, [(bad_ca, since)], at=NOW - DAY / 48)]
    add("revoked-authority", sign(source, below, signed=[revocation_info(ca_lists)]))
    add(
        "revoked-good-and-bad-list",
        sign(source, who, signed=[revocation_info([crl(w.dark, at=NOW - DAY / 2)] + lists)]),
    )
    add(
        "revoked-list-and-good-response",
        sign(source, who, signed=[revocation_info(lists, [ocsp_response(who, at=NOW - 3 * DAY)])]),
    )
    # The time is proven, but after the certificate was revoked.
    ended = [crl(w.dark, [(w.ended, NOW - 5 * DAY)], at=NOW - 3 * DAY), crl(w.root, at=NOW - 3 * DAY)]
    add("revoked-and-ended", sign(source, w.ended, timestamp=(w.tsa, NOW - 2 * DAY), signed=[revocation_info(ended)]))


def times(files, w, source):
    add = files.bad
    ended = {"claimed": NOW - 2 * DAY}
    add("ended-without-timestamp", sign(source, w.ended, **ended))
    add("ended-claims-a-time", sign(source, w.ended, pades=False, time=NOW - 2 * DAY, **ended))
    add("ended-late-timestamp", sign(source, w.ended, timestamp=(w.tsa,), **ended))
    add("ended-foreign-timestamp", sign(source, w.ended, timestamp=(w.foreign_tsa, NOW - 2 * DAY), **ended))
    no_tsa = Issued("No TSA", w.stamps, usage=("digital_signature",), organization="Timestamps AS")
    add("ended-timestamp-of-a-sealer", sign(source, w.ended, timestamp=(no_tsa, NOW - 2 * DAY), **ended))
    add("ended-late-document-timestamp", stamped(sign(source, w.ended, **ended), w.tsa))
    add("ended-foreign-document-timestamp", stamped(sign(source, w.ended, **ended), w.foreign_tsa, NOW - 2 * DAY))
    add("early-timestamp", sign(source, w.ended, timestamp=(w.old_tsa(2010, 2040), pki.year(2015)), **ended))
    good = sign(source, w.seal)
    wrong = lambda value: token(value + b"x", w.tsa)
    add("signature-timestamp-of-something-else", sign(source, w.seal, unsigned=[cms.stamped(wrong)]))
    right_and_wrong = [cms.stamped(lambda value: token(value, w.tsa)), cms.stamped(wrong)]
    add("signature-timestamps-one-wrong", sign(source, w.seal, unsigned=right_and_wrong))
    add(
        "document-timestamp-of-something-else",
        sign(good, None, "Timestamp1", stamp=w.tsa, make=lambda covered: token(covered + b"x", w.tsa)),
    )
    add("only-timestamp", stamped(source, w.tsa))
    add("only-timestamps", stamped(stamped(source, w.tsa), w.tsa, field="Timestamp2"))


def shapes(files, w, source):
    """CMS that is not as the standards say."""
    add = files.bad
    one = lambda **options: sign(source, w.seal, **options)
    add("cms-no-signed-attributes", one(pades=False, attributes=False))
    add("cms-no-name-of-certificate", sign(source, w.seal, edit=lambda all_: all_[:2]))
    add("cms-no-digest", one(edit=lambda all_: [all_[0]] + all_[2:]))
    add("cms-no-content-type", one(edit=lambda all_: all_[1:]))
    add("cms-digest-twice", one(edit=lambda all_: all_ + [cms.attribute("message_digest", bytes(32))]))
    add("cms-wrong-content-type", one(edit=lambda all_: [cms.attribute("content_type", "signed_data")] + all_[1:]))
    add("cms-names-another", one(names=cms.named(w.second)))
    add("cms-two-signers", one(signers=2))
    add("cms-no-signer", one(signers=0))
    add("cms-with-content", one(content=("data", b"I owe you 900")))
    add("cms-other-digest", one(make=lambda covered: cms.signed_data(w.seal, bytes(32))))
    add("cms-other-key", one(make=lambda covered: swapped(w, covered)))
    add("cms-garbage-behind", one(make=lambda covered: of(w, covered) + b"garbage"))
    add("cms-cut", one(make=lambda covered: of(w, covered)[:-20]))
    add("cms-empty", one(make=lambda covered: b""))
    add("cms-not-cms", one(make=lambda covered: b"\x30\x03\x02\x01\x05"))
    add("cms-ber-never-ends", one(make=lambda covered: b"\x30\x80" * 2000))
    add("cms-digest-sha1", one(digest="sha1", pades=False))
    add("cms-digest-md5", sign(source, w.rsa, digest="md5", pades=False))
    add("cms-rsa-512", sign(source, Issued("Small", w.ca, key=small_key()), pades=False))
    add("cms-rsa-1024", sign(source, Issued("Small", w.ca, key=pki.rsa_key(1024)), pades=False))
    token_as_signature = sign(source, None, make=lambda covered: token(covered, w.tsa))
    add("cms-timestamp-as-signature", token_as_signature)
    good = sign(source, w.seal)
    for old, new, name in [
        (b"/ETSI.CAdES.detached", b"/adbe.pkcs7.sha1    ", "sha1"),
        (b"/ETSI.CAdES.detached", b"/adbe.x509.rsa_sha1 ", "x509"),
        (b"/ETSI.CAdES.detached", b"/ETSI.CAdES.unknown ", "unknown"),
        (b"/ETSI.CAdES.detached", b"/ETSI.RFC3161       ", "timestamp"),
    ]:
        add(f"subfilter-{name}", p.replaced_once(good, old, new))


def of(w, covered):
    return cms.signed_data(w.seal, cms.hashlib.sha256(covered).digest())


def swapped(w, covered):
    """Signed by one key, with the certificate of another."""
    digested = cms.hashlib.sha256(covered).digest()
    info = cms.cms.ContentInfo.load(cms.signed_data(w.seal, digested))
    other = cms.cms.ContentInfo.load(cms.signed_data(w.second, digested))
    info["content"]["signer_infos"][0]["signature"] = other["content"]["signer_infos"][0]["signature"].native
    return info.dump(force=True)


def small_key():
    """A key that few programs make any more."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "key.pem"
        subprocess.run(["openssl", "genrsa", "-out", file, "512"], check=True, capture_output=True)
        return load_pem_private_key(file.read_bytes(), None)


def broken(files, w, source):
    """What is no PDF that is signed and whole."""
    add = files.bad
    good = sign(sign(source, w.seal), w.second, "Signature2")
    add("unsigned", source)
    add("cut-20", good[:-20])
    add("cut-half", good[: len(good) // 2])
    add("field-without-value", written(p.form()))
    with tempfile.TemporaryDirectory() as directory:
        plain_file, encrypted = Path(directory) / "plain.pdf", Path(directory) / "encrypted.pdf"
        plain_file.write_bytes(source)
        command = ["qpdf", "--encrypt", "", "owner", "256", "--", plain_file, encrypted]
        subprocess.run(command, check=True)
        add("encrypted", sign_encrypted(encrypted.read_bytes(), w.seal))
    # One bit, here and there.
    start, end = p.contents_of(good)
    places = {
        "version": good.index(b"1.7"),
        "page": good.index(b"I owe"),
        "font": good.index(b"Helvetica"),
        "box": good.index(b"595"),
        "size": good.index(b"/Size ") + 6,
        "range": good.rindex(b"/ByteRange [0 ") + 14,
        "date": good.rindex(b"/M (D") + 12,
        "filter": good.rindex(b"ETSI"),
        "table": good.rindex(b" 00000 n") - 1,
        "startxref": good.rindex(b"startxref") + 10,
        "signature": start + 3,
        "padding": end - 100,
        "end": good.rindex(b"%%EOF") + 4,
    }
    for name, at in places.items():
        changed = bytearray(good)
        changed[at] ^= 1
        add(f"bit-{name}", bytes(changed))


def sign_encrypted(content, signer):
    writer = IncrementalPdfFileWriter(BytesIO(content))
    writer.encrypt("")
    simple = signers.SimpleSigner(
        signing_cert=signer.asn1,
        signing_key=keys.PrivateKeyInfo.load(signer.pkcs8()),
        cert_registry=SimpleCertificateStore.from_certs([one.asn1 for one in signer.chain[1:]]),
    )
    metadata = signers.PdfSignatureMetadata(field_name="Signature1", subfilter=fields.SigSeedSubFilter.PADES)
    return signers.sign_pdf(writer, metadata, signer=simple).getvalue()


def make(files, w):
    source = written(plain())
    w.tsa_as_sealer = Issued("Stamps", w.ca, usage=("digital_signature",), purposes=[ExtendedKeyUsageOID.TIME_STAMPING])
    sealers(files, w, source)
    revoked(files, w, source)
    times(files, w, source)
    shapes(files, w, source)
    broken(files, w, source)
