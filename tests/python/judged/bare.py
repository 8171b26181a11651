"""Technical signatures that are bare XAdES over a file: right, wrong and wrapped. Written in canonical form."""

from . import pki
from .evidence import (
    C14N,
    DOCUMENT,
    DS,
    EXCLUSIVE,
    MORE,
    PSS,
    RSA,
    SHA256,
    XADES,
    after_info,
    b64,
    of_properties,
    once,
    sha,
    unsigned_properties,
    value_of,
)
from .pki import DAY, NOW, Issued, crl, token

ASIC = "http://uri.etsi.org/2918/v1.2.1#"
# The name of what is signed.
FILE = "avtale.txt"
PLAIN = f'xmlns:ds="{DS}" xmlns:xades="{XADES}"'


def bare(
    signer,
    document=DOCUMENT,
    method=RSA,
    in_list=False,
    version=2,
    digest="sha256",
    digest_uri=SHA256,
    timestamp=None,
    at=None,
    lists=(),
    named=None,
    properties_signed=True,
    more="",
    objects="",
    uri=FILE,
    transform=C14N,
):
    """A signature over a file, alone or in the list of a container."""
    spaces = f'xmlns="{ASIC}" {PLAIN}' if in_list else PLAIN
    named = named or signer
    time = (at or NOW).strftime("%Y-%m-%dT%H:%M:%SZ")
    named_by = "SigningCertificateV2" if version == 2 else "SigningCertificate"
    issuer = (
        f"<xades:IssuerSerial><ds:X509IssuerName>{named.cert.issuer.rfc4514_string()}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{named.cert.serial_number}</ds:X509SerialNumber></xades:IssuerSerial>"
    )
    properties = (
        f"<xades:SignedSignatureProperties><xades:SigningTime>{time}</xades:SigningTime><xades:{named_by}><xades:Cert>"
        f'<xades:CertDigest><ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue>{sha(named.der)}'
        f"</ds:DigestValue></xades:CertDigest>{'' if version == 2 else issuer}</xades:Cert></xades:{named_by}>"
        "</xades:SignedSignatureProperties><xades:SignedDataObjectProperties>"
        '<xades:DataObjectFormat ObjectReference="#file"><xades:MimeType>text/plain</xades:MimeType>'
        "</xades:DataObjectFormat></xades:SignedDataObjectProperties>"
    )
    canonical = f'<xades:SignedProperties {spaces} Id="SignedProperties">{properties}</xades:SignedProperties>'
    if transform == EXCLUSIVE:
        canonical = exclusive(properties)
    second = of_properties(canonical, transform)
    info = (
        f'<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>'
        f'<ds:Reference Id="file" URI="{uri}"><ds:DigestMethod Algorithm="{digest_uri}"></ds:DigestMethod>'
        f"<ds:DigestValue>{sha(document, digest)}</ds:DigestValue></ds:Reference>{more}"
        f"{second if properties_signed else ''}"
    )
    value = b64(value_of(signer, f"<ds:SignedInfo {spaces}>{info}</ds:SignedInfo>".encode(), method))
    unsigned = unsigned_properties(value, spaces, lists, timestamp)
    text = (
        f'<ds:Signature {"" if in_list else PLAIN + " "}Id="Signature"><ds:SignedInfo>{info}</ds:SignedInfo>'
        f"{after_info(value, signer.chain, properties, unsigned)}{objects}</ds:Signature>"
    )
    return (f"<XAdESSignatures {spaces}>{text}</XAdESSignatures>" if in_list else text).encode()


def exclusive(properties):
    """The signed properties in exclusive form: each prefix is declared where it is first used."""
    ds, xades = f' xmlns:ds="{DS}"', f' xmlns:xades="{XADES}"'
    for name in ("DigestMethod", "DigestValue", "X509IssuerName", "X509SerialNumber"):
        properties = properties.replace(f"<ds:{name} ", f"<ds:{name}{ds} ").replace(f"<ds:{name}>", f"<ds:{name}{ds}>")
    return f'<xades:SignedProperties{xades} Id="SignedProperties">{properties}</xades:SignedProperties>'


def make(files, w):
    good = bare(w.rsa)
    files.good("bare.xml", good)
    files.good("bare-list.xml", bare(w.rsa, in_list=True))
    files.good("bare-first-version.xml", bare(w.rsa, version=1))
    files.good("bare-sha512.xml", bare(w.rsa, method=RSA.replace("256", "512")))
    files.good("bare-pss.xml", bare(w.rsa, method=PSS))
    files.good("bare-exclusive.xml", bare(w.rsa, transform=EXCLUSIVE))
    files.good("bare-comment.xml", once(good, b"Z</xades:SigningTime>", b"<!-- -->Z</xades:SigningTime>"))
    digest = sha(DOCUMENT)
    cut = f"{digest[:20]}<!-- -->{digest[20:]}"
    files.good("bare-comment-in-digest.xml", once(good, digest.encode(), cut.encode()))
    files.good("bare-timestamp.xml", bare(w.rsa, timestamp=(w.tsa,)))
    quiet = Issued("Quiet seal of the service", w.dark, key=w.rsa.key)
    files.good("bare-lists.xml", bare(quiet, lists=[crl(w.dark), crl(w.root)]))
    for name, signer in w.curves.items():
        method = f"{MORE}ecdsa-sha{name[1:].replace('521', '512')}"
        files.good(f"bare-{name}.xml", bare(signer, method=method))
        files.good(f"bare-{name}-list.xml", bare(signer, method=method, in_list=True, timestamp=(w.tsa,)))
    ended = Issued("Ended seal of the service", w.dark, key=w.rsa.key, end=NOW - DAY)
    then = NOW - 2 * DAY
    old = [crl(w.dark, at=then), crl(w.root, at=then)]
    files.good("bare-ended.xml", bare(ended, at=then, timestamp=(w.tsa, then), lists=old))
    files.bad("bare-ended-without-timestamp.xml", bare(ended, at=then, lists=old))
    files.bad("bare-other-document.xml", bare(w.rsa, document=b"I owe you 900"))
    files.bad("bare-stranger.xml", bare(Issued("Seal of the service", w.stranger, key=w.rsa.key)))
    files.bad("bare-neighbor.xml", bare(Issued("Neighbor", w.ca, key=w.rsa.key, organization="Neighbor AS")))
    files.bad("bare-properties-not-signed.xml", bare(w.rsa, properties_signed=False))
    files.bad("bare-names-another-certificate.xml", bare(w.rsa, named=w.second))
    files.bad("bare-sha1.xml", bare(w.rsa, digest="sha1", digest_uri=f"{DS}sha1", method=f"{DS}rsa-sha1"))
    files.bad("bare-cut.xml", good[:-10])
    files.bad("bare-revoked.xml", revoked(w))
    for name, by in [("", good), ("-p256", bare(w.curves["p256"], method=f"{MORE}ecdsa-sha256"))]:
        hostile(files, by.decode(), f"bare{name}")
    hostile_by_key(files, w)


def revoked(w):
    who = Issued("Revoked seal of the service", w.dark, key=w.rsa.key)
    return bare(who, lists=[crl(w.dark, [(who, NOW - DAY)]), crl(w.root)])


def hostile(files, good, prefix):
    """Changes that nobody needs a key for."""
    add = lambda name, text: files.hostile(f"{prefix}-{name}.xml", text.encode())
    evil = sha(b"I owe you 900")
    add("digest-changed", once(good, sha(DOCUMENT), evil))
    add("time-changed", once(good, "<xades:SigningTime>20", "<xades:SigningTime>19"))
    add("file-renamed", once(good, f'URI="{FILE}"', 'URI="other.txt"'))
    reference = good[good.index('<ds:Reference Id="file"') : good.index("<ds:Reference Type")]
    add("reference-removed", once(good, reference, ""))
    forged = once(reference, sha(DOCUMENT), evil).replace('Id="file"', 'Id="file2"')
    add("reference-added", once(good, reference, reference + forged))
    info = good[good.index("<ds:SignedInfo>") : good.index("<ds:SignatureValue>")]
    forged_info = once(info, sha(DOCUMENT), evil)
    # What is read as the list of references is not what is signed.
    add("list-twice", once(good, info, forged_info + info))
    add("list-behind", once(good, "</ds:SignatureValue>", "</ds:SignatureValue>" + forged_info))
    kept = f"<ds:Object>{info}</ds:Object></ds:Signature>"
    add("list-in-object", once(good, info, forged_info).replace("</ds:Signature>", kept))
    properties = good[good.index("<xades:SignedProperties ") : good.index("</xades:QualifyingProperties>")]
    properties = properties[: properties.index("</xades:SignedProperties>") + len("</xades:SignedProperties>")]
    moved = once(properties, "<xades:SigningTime>20", "<xades:SigningTime>19")
    add("properties-twice", once(good, properties, moved + properties))
    without = once(moved, ' Id="SignedProperties"', ' Id="Other"')
    outside = f"<ds:Object>{properties}</ds:Object></ds:Signature>"
    add("properties-moved", once(good, properties, without).replace("</ds:Signature>", outside))
    inner = good.replace(' Id="Signature"', ' Id="Inner"')
    kept = f"<ds:Object>{inner}</ds:Object></ds:Signature>"
    add("in-another", once(good, sha(DOCUMENT), evil).replace("</ds:Signature>", kept))
    add("two", f'<XAdESSignatures xmlns="{ASIC}">{once(good, sha(DOCUMENT), evil)}{good}</XAdESSignatures>')
    add("other-list", f'<XAdESSignatures xmlns="https://example.com/">{good}</XAdESSignatures>')
    add("entity", '<!DOCTYPE x [<!ENTITY d "900">]>' + good)


def hostile_by_key(files, w):
    """What only somebody with a key can make: the statement of one document is to pass for that of another."""
    add = lambda name, made: files.hostile(f"bare-{name}.xml", made)
    transforms = f'<ds:Transforms><ds:Transform Algorithm="{DS}base64"></ds:Transform></ds:Transforms>'
    reference = lambda uri, value: (
        f'<ds:Reference URI="{uri}">{transforms}<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod>'
        f"<ds:DigestValue>{value}</ds:DigestValue></ds:Reference>"
    )
    # A digest of the file after a transform is not one of the file.
    add("file-transformed", bare(w.rsa, document=b"other", uri="other.txt", more=reference(FILE, sha(DOCUMENT))))
    # It signs nothing but an object of its own.
    inside = f'<ds:Object Id="Inside">{b64(DOCUMENT)}</ds:Object>'
    stranger = Issued("Seal of the service", w.stranger, key=pki.rsa_key())
    canonical = inside.replace("<ds:Object ", f"<ds:Object {PLAIN} ").encode()
    add("object-alone", bare(w.rsa, document=canonical, uri="#Inside", objects=inside))
    forged = bare(stranger, named=w.rsa).decode()
    key = f"<ds:X509Certificate>{b64(w.rsa.der)}</ds:X509Certificate>"
    add("certificate-of-another", once(forged, "<ds:X509Certificate>", f"{key}<ds:X509Certificate>").encode())
