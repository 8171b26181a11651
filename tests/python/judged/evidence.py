"""Technical signatures (LTV-SDO), right, wrong and wrapped. Written straight in canonical form."""

import hashlib
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from . import pki
from .pki import DAY, NOW, Issued, crl, token

SDO = "https://id.signicat.com/definitions/xsd/LtvSdo-2.5"
DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
SPACES = f'xmlns="{SDO}" xmlns:ds="{DS}" xmlns:xades="{XADES}"'
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DS}enveloped-signature"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
PSS = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
DOCUMENT = b"I owe you 100"


def b64(value):
    return b64encode(value).decode()


def sha(text, digest="sha256"):
    return b64(hashlib.new(digest, text.encode() if isinstance(text, str) else text).digest())


def value_of(signer, message, method):
    """The value of an XML signature. One by ECDSA is two numbers, each as long as the order of the curve (RFC 9231)."""
    name = method.rsplit("#")[-1]
    digest = next((one for one in ("sha1", "sha384", "sha512") if one in name), "sha256")
    value = signer.sign(message, digest, 32 if "MGF1" in name else None)
    if isinstance(signer.key, ec.EllipticCurvePrivateKey):
        length = (signer.key.curve.key_size + 7) // 8
        value = b"".join(number.to_bytes(length, "big") for number in decode_dss_signature(value))
    return value


def content(at, who, time, document=DOCUMENT, stated=None):
    time = time.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"<Description><SignerDescription><SignerDisplayName>{who}</SignerDisplayName>"
        f"<SignerUniqueId>9578-{at}</SignerUniqueId></SignerDescription><DocumentDescription>"
        "<DocumentMimeType>text/plain</DocumentMimeType><DocumentTitle>Avtale</DocumentTitle>"
        f'<DocumentDigest alg="SHA-256">{sha(stated or document)}</DocumentDigest></DocumentDescription>'
        "<SignatureDescription><SignatureTypeFriendlyName>ID-porten: BankID</SignatureTypeFriendlyName>"
        f"<xades:SigningTime>{time}</xades:SigningTime></SignatureDescription></Description>"
        f"<OriginalDocument>{b64(document)}</OriginalDocument>"
    )


def ltv_sdo(
    signer,
    number=0,
    at=None,
    who="Kari Nordmann",
    inner=None,
    timestamp=None,
    lists=(),
    uri="#root",
    method=RSA,
    digest="sha256",
    digest_uri=SHA256,
    transform=ENVELOPED,
    properties_signed=True,
    chain=None,
    named=None,
    claimed=None,
    head='Id="root"',
):
    at = at or NOW
    inner = inner or content(number, who, at)
    whole = sha(f"<LtvSdo {SPACES} {head}>{inner}</LtvSdo>", digest)
    chain = chain or signer.chain
    named = named or chain[0]
    time = (claimed or at).strftime("%Y-%m-%dT%H:%M:%SZ")
    properties = (
        f"<xades:SignedSignatureProperties><xades:SigningTime>{time}</xades:SigningTime>"
        f'<xades:SigningCertificate><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="{SHA256}">'
        f"</ds:DigestMethod><ds:DigestValue>{sha(named.der)}</ds:DigestValue></xades:CertDigest><xades:IssuerSerial>"
        f"<ds:X509IssuerName>{named.cert.issuer.rfc4514_string()}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{named.cert.serial_number}</ds:X509SerialNumber></xades:IssuerSerial></xades:Cert>"
        "</xades:SigningCertificate></xades:SignedSignatureProperties>"
    )
    transforms = (
        f'<ds:Transforms><ds:Transform Algorithm="{transform}"></ds:Transform></ds:Transforms>' if transform else ""
    )
    method_ = f'<ds:DigestMethod Algorithm="{digest_uri}"></ds:DigestMethod>'
    second = ""
    if properties_signed:
        canonical = f'<xades:SignedProperties {SPACES} Id="SignedProperties">{properties}</xades:SignedProperties>'
        second = of_properties(canonical)
    info = (
        f'<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>'
        f'<ds:Reference URI="{uri}">{transforms}{method_}<ds:DigestValue>{whole}</ds:DigestValue></ds:Reference>'
        f"{second}"
    )
    value = b64(value_of(signer, f"<ds:SignedInfo {SPACES}>{info}</ds:SignedInfo>".encode(), method))
    text = (
        f'<LtvSdo {SPACES} {head}>{inner}<ds:Signature Id="Signature"><ds:SignedInfo>{info}</ds:SignedInfo>'
        f"{after_info(value, chain, properties, unsigned_properties(value, SPACES, lists, timestamp))}</ds:Signature>"
        "</LtvSdo>"
    )
    return text.encode()


def of_properties(canonical, transform=C14N):
    """The reference to the signed properties, in their canonical form."""
    return (
        '<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#SignedProperties"><ds:Transforms>'
        f'<ds:Transform Algorithm="{transform}"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="{SHA256}">'
        f"</ds:DigestMethod><ds:DigestValue>{sha(canonical)}</ds:DigestValue></ds:Reference>"
    )


def unsigned_properties(value, spaces, lists, timestamp):
    """Revocation lists, and a timestamp of the signature's value, for which `spaces` are the namespaces in scope."""
    unsigned = "".join(f"<xades:EncapsulatedCRLValue>{b64(one)}</xades:EncapsulatedCRLValue>" for one in lists)
    if unsigned:
        unsigned = f"<xades:RevocationValues><xades:CRLValues>{unsigned}</xades:CRLValues></xades:RevocationValues>"
    if timestamp:
        stamp = token(f"<ds:SignatureValue {spaces}>{value}</ds:SignatureValue>".encode(), *timestamp)
        unsigned = (
            f'<xades:SignatureTimeStamp><ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>'
            f"<xades:EncapsulatedTimeStamp>{b64(stamp)}</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>"
            f"{unsigned}"
        )
    if not unsigned:
        return ""
    unsigned = f"<xades:UnsignedSignatureProperties>{unsigned}</xades:UnsignedSignatureProperties>"
    return f"<xades:UnsignedProperties>{unsigned}</xades:UnsignedProperties>"


def after_info(value, chain, properties, unsigned):
    """What a signature has behind its signed info."""
    key = "".join(f"<ds:X509Certificate>{b64(one.der)}</ds:X509Certificate>" for one in chain)
    return (
        f"<ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>{key}</ds:X509Data></ds:KeyInfo>"
        '<ds:Object><xades:QualifyingProperties Target="#Signature"><xades:SignedProperties Id="SignedProperties">'
        f"{properties}</xades:SignedProperties>{unsigned}</xades:QualifyingProperties></ds:Object>"
    )


def once(text, old, new):
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def make(files, w):
    lists = [crl(w.ca), crl(w.root)]
    quiet = Issued("Quiet seal of the service", w.dark, key=w.rsa.key)
    good = ltv_sdo(w.rsa)
    files.source("sdo.xml", f'<LtvSdo {SPACES} Id="root">{content(0, "Kari Nordmann", NOW)}</LtvSdo>'.encode())
    files.good("sdo.xml", good)
    # A comment is not signed. The name is what it was, and not what stands before the comment.
    files.good("sdo-comment.xml", once(good, b"Kari Nordmann", b"Kari<!-- --> Nordmann"))
    files.good("sdo-lists.xml", ltv_sdo(quiet, lists=[crl(w.dark), crl(w.root)]))
    files.good("sdo-timestamp.xml", ltv_sdo(w.rsa, timestamp=(w.tsa,)))
    files.good("sdo-timestamp-lists.xml", ltv_sdo(w.rsa, timestamp=(w.tsa,), lists=lists))
    files.good(
        "sdo-sha512.xml",
        ltv_sdo(
            w.rsa,
            digest="sha512",
            digest_uri="http://www.w3.org/2001/04/xmlenc#sha512",
            method=RSA.replace("256", "512"),
        ),
    )
    files.good("sdo-whole-document.xml", ltv_sdo(w.rsa, uri=""))
    ended = Issued("Ended seal of the service", w.dark, key=w.rsa.key, end=NOW - DAY)
    then = NOW - 2 * DAY
    old_lists = [crl(w.dark, at=then), crl(w.root, at=then)]
    files.good("sdo-ended.xml", ltv_sdo(ended, at=then, timestamp=(w.tsa, then), lists=old_lists))
    files.bad("sdo-ended-without-timestamp.xml", ltv_sdo(ended, at=then, lists=old_lists))
    files.bad("sdo-ended-late-timestamp.xml", ltv_sdo(ended, at=then, timestamp=(w.tsa,), lists=old_lists))
    revoked = Issued("Revoked seal of the service", w.dark, key=w.rsa.key)
    files.bad("sdo-revoked.xml", ltv_sdo(revoked, lists=[crl(w.dark, [(revoked, NOW - DAY)]), crl(w.root)]))
    stranger = Issued("Seal of the service", w.stranger, key=w.rsa.key)
    files.bad("sdo-stranger.xml", ltv_sdo(stranger))
    files.bad("sdo-neighbor.xml", ltv_sdo(Issued("Neighbor", w.ca, key=w.rsa.key, organization="Neighbor AS")))
    files.bad("sdo-cut.xml", good[:-10])
    files.bad(
        "sdo-without-signature.xml",
        once(good, b"<ds:Signature ", b"<ds:Nothing ").replace(b"</ds:Signature>", b"</ds:Nothing>"),
    )
    files.bad("sdo-sha1.xml", ltv_sdo(w.rsa, digest="sha1", digest_uri=f"{DS}sha1", method=f"{DS}rsa-sha1"))
    files.bad("sdo-properties-not-signed.xml", ltv_sdo(w.rsa, properties_signed=False))
    files.bad("sdo-names-another-certificate.xml", ltv_sdo(w.rsa, named=w.second))
    files.bad("sdo-other-document.xml", ltv_sdo(w.rsa, inner=content(0, "Kari", NOW, stated=b"another")))
    hostile(files, w, good.decode(), "sdo")
    for name, signer in w.curves.items():
        method = f"{MORE}ecdsa-sha{name[1:].replace('521', '512')}"
        files.good(f"sdo-{name}.xml", ltv_sdo(signer, method=method))
        files.good(f"sdo-{name}-timestamp.xml", ltv_sdo(signer, method=method, timestamp=(w.tsa,)))
        files.bad(f"sdo-{name}-other-key.xml", ltv_sdo(Issued("Other", w.ca), chain=signer.chain, method=method))
    files.good("sdo-p256-sha512.xml", ltv_sdo(w.curves["p256"], method=f"{MORE}ecdsa-sha512"))
    files.good("sdo-pss.xml", ltv_sdo(w.rsa, method=PSS))
    by_curve = ltv_sdo(w.curves["p256"], method=f"{MORE}ecdsa-sha256").decode()
    hostile(files, w, by_curve, "sdo-p256", method=f"{MORE}ecdsa-sha256")
    asn1 = b64(w.curves["p256"].sign(b"anything"))
    value = by_curve[by_curve.index("<ds:SignatureValue>") + 19 : by_curve.index("</ds:SignatureValue>")]
    files.hostile("sdo-p256-value-asn1.xml", by_curve.replace(value, asn1).encode())
    # Zero and zero, which programs with a known fault took for a signature of anything.
    files.hostile("sdo-p256-value-zeros.xml", by_curve.replace(value, b64(bytes(64))).encode())
    files.hostile("sdo-pss-as-rsa.xml", ltv_sdo(w.rsa, method=PSS).replace(PSS.encode(), RSA.encode()))


def hostile(files, w, good, prefix, method=RSA):
    add = lambda name, text: files.hostile(f"{prefix}-{name}.xml", text.encode())
    add("name-changed", once(good, "Kari Nordmann", "Mallory"))
    add("document-changed", once(good, b64(DOCUMENT), b64(b"I owe you 900")))
    add("time-changed", once(good, "<xades:SigningTime>20", "<xades:SigningTime>19"))
    add("comment-in-name", once(good, "Kari Nordmann", "Mal<!-- -->lory"))
    add("entity", '<!DOCTYPE LtvSdo [<!ENTITY who "Mallory">]>' + once(good, "Kari Nordmann", "&who;"))
    add(
        "external-entity",
        '<!DOCTYPE LtvSdo [<!ENTITY who SYSTEM "file:///etc/hostname">]>' + once(good, "Kari Nordmann", "&who;"),
    )
    add(
        "billions",
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
        + once(good, "Kari Nordmann", "&c;"),
    )
    evil = content(0, "Mallory", NOW, b"I owe you 900")
    signature = good[good.index("<ds:Signature Id") : good.index("</LtvSdo>")]
    original = good[: good.index("<ds:Signature Id")] + "</LtvSdo>"
    root = f"<LtvSdo {SPACES}"
    # The signed element stands somewhere else; what is read by its place is another one (signature wrapping).
    add(
        "wrapped-in-object",
        f'{root} Id="other">{evil}' + once(signature, "</ds:Object>", f"{original}</ds:Object>") + "</LtvSdo>",
    )
    add("wrapped-beside", f'{root} Id="other">{evil}{original}{signature}</LtvSdo>')
    add("wrapped-above", f'{root} Id="other">{evil}{good}</LtvSdo>')
    add(
        "wrapped-same-id",
        f'{root} Id="root">{evil}' + once(signature, "</ds:Object>", f"{original}</ds:Object>") + "</LtvSdo>",
    )
    add(
        "wrapped-other-id",
        f'{root} ID="root">{evil}' + once(signature, "</ds:Object>", f"{original}</ds:Object>") + "</LtvSdo>",
    )
    add(
        "wrapped-xml-id",
        f'{root} xml:id="root">{evil}' + once(signature, "</ds:Object>", f"{original}</ds:Object>") + "</LtvSdo>",
    )
    add("wrapped-no-id", f"{root}>{evil}" + once(signature, "</ds:Object>", f"{original}</ds:Object>") + "</LtvSdo>")
    add("another-description", once(good, "<Description>", evil + "<Description>"))
    add(
        "description-in-signature",
        once(good, "</ds:Object>", f"{evil}</ds:Object>")
        .replace("<Description>", "<D>", 1)
        .replace("</Description>", "</D>", 1),
    )
    add(
        "properties-twice",
        once(
            good,
            '<xades:SignedProperties Id="SignedProperties">',
            '<xades:SignedProperties Id="SignedProperties"></xades:SignedProperties>'
            '<xades:SignedProperties Id="SignedProperties">',
        ),
    )
    add("signature-twice", once(good, "</LtvSdo>", f"{signature}</LtvSdo>"))
    add("reference-removed", good[: good.index("<ds:Reference URI")] + good[good.index("<ds:Reference Type") :])
    add("reference-to-properties", good.replace('URI="#root"', 'URI="#SignedProperties"'))
    add("method-hmac", good.replace(method, f"{DS}hmac-sha1"))
    add("method-none", good.replace(f'Algorithm="{method}"', 'Algorithm=""'))
    add("value-empty", good[: good.index("<ds:SignatureValue>") + 19] + good[good.index("</ds:SignatureValue>") :])
    add("pointer", good.replace('URI="#root"', "URI=\"#xpointer(id('root'))\""))
    add("other-format", once(good, SDO, "https://example.com/LtvSdo-2.5"))
    if method == RSA:
        transforms(w, add)


def transforms(w, add):
    stranger = Issued("Seal of the service", w.stranger, key=pki.rsa_key())
    forged = ltv_sdo(stranger, who="Mallory", named=w.rsa).decode()
    key = forged.index("<ds:X509Certificate>")
    with_both = forged[:key] + f"<ds:X509Certificate>{b64(w.rsa.der)}</ds:X509Certificate>" + forged[key:]
    add("certificate-of-another", with_both)
    xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116"
    add("transform-xpath", ltv_sdo(w.rsa, transform=xpath).decode())
    add("transform-xslt", ltv_sdo(w.rsa, transform="http://www.w3.org/TR/1999/REC-xslt-19991116").decode())
    add("transform-base64", ltv_sdo(w.rsa, transform=f"{DS}base64").decode())
