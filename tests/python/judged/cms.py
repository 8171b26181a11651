"""CMS in any shape: in DER and in BER, whole and with something wrong."""

import hashlib

from asn1crypto import algos, cms, core, ocsp as asn1_ocsp, tsp, x509 as asn1_x509
from asn1crypto import crl as asn1_crl
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

OIDS = {
    "certificate_values": "1.2.840.113549.1.9.16.2.23",
    "revocation_values": "1.2.840.113549.1.9.16.2.24",
}

OCTETS = {"data": core.OctetString, "tst_info": core.ParsableOctetString}


def attribute(kind, *values):
    return cms.CMSAttribute({"type": kind, "values": list(values)})


def raw_attribute(oid, *ders):
    """An attribute whose values are given in DER."""
    values = b"".join(sorted(ders))
    kind = core.ObjectIdentifier(oid).dump()
    return cms.CMSAttribute.load(tlv(0x30, kind + tlv(0x31, values)))


def revocation_values(crls=(), responses=()):
    """CAdES: RevocationValues, with BasicOCSPResponses."""
    parts = b""
    if crls:
        parts += tlv(0xA0, tlv(0x30, b"".join(crls)))
    if responses:
        basic = [asn1_ocsp.OCSPResponse.load(der)["response_bytes"]["response"].parsed.dump() for der in responses]
        parts += tlv(0xA1, tlv(0x30, b"".join(basic)))
    return raw_attribute(OIDS["revocation_values"], tlv(0x30, parts))


def certificate_values(*issued):
    return raw_attribute(OIDS["certificate_values"], tlv(0x30, b"".join(one.der for one in issued)))


def named(signer, digest="sha256"):
    """signingCertificateV2, or the older form with SHA-1."""
    digested = hashlib.new(digest, signer.der).digest()
    if digest == "sha1":
        value = tsp.SigningCertificate({"certs": [tsp.ESSCertID({"cert_hash": digested})]})
        return attribute("signing_certificate", value)
    value = {"cert_hash": digested}
    if digest != "sha256":
        value["hash_algorithm"] = {"algorithm": digest}
    return attribute("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [tsp.ESSCertIDv2(value)]}))


def signed_data(
    signer,
    digested,
    digest="sha256",
    content=("data", None),
    must_name=True,
    names=None,
    certs=None,
    signed=(),
    unsigned=(),
    crls=(),
    others=(),
    pss=None,
    sid="issuer",
    time=None,
    attributes=True,
    order=None,
    signers=1,
    edit=None,
):
    """A ContentInfo in DER. `unsigned` has attributes, or functions of the signature value that make them."""
    kind, carried = content
    attributes_ = [attribute("content_type", kind), attribute("message_digest", digested)]
    if must_name:
        attributes_.append(names or named(signer))
    if time:
        attributes_.append(attribute("signing_time", cms.Time({"utc_time": time})))
    attributes_ += list(signed)
    if edit:
        attributes_ = edit(attributes_)
    own = cms.CMSAttributes(attributes_)
    message = own.dump()
    if order:
        # As some makers write them: in another order than DER has, and signed so.
        parts = order([one.dump() for one in attributes_])
        message = tlv(0x31, b"".join(parts))
    if attributes:
        value = signer.sign(message, digest, pss)
    else:
        value = signer.key.sign(digested, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    if sid == "issuer":
        sid_ = cms.SignerIdentifier(
            {
                "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                    {"issuer": signer.asn1.issuer, "serial_number": signer.asn1.serial_number}
                )
            }
        )
    else:
        sid_ = cms.SignerIdentifier({"subject_key_identifier": signer.asn1.key_identifier})
    info = {
        "version": "v1" if sid == "issuer" else "v3",
        "sid": sid_,
        "digest_algorithm": algos.DigestAlgorithm({"algorithm": digest}),
        "signature_algorithm": signer.algorithm(digest, pss),
        "signature": value,
    }
    if attributes:
        info["signed_attrs"] = own
    more = [one(value) if callable(one) else one for one in unsigned]
    if more:
        info["unsigned_attrs"] = cms.CMSAttributes(more)
    info = cms.SignerInfo(info)
    certificates = signer.chain[:-1] if certs is None else certs
    data = {
        "version": "v1" if kind == "data" and sid == "issuer" else "v3",
        "digest_algorithms": [{"algorithm": digest}],
        "encap_content_info": (
            {"content_type": kind} if carried is None else {"content_type": kind, "content": OCTETS[kind](carried)}
        ),
        "signer_infos": [info] * signers,
    }
    if certificates:
        data["certificates"] = [asn1_x509.Certificate.load(one.der) for one in certificates]
    choices = [cms.RevocationInfoChoice({"crl": asn1_crl.CertificateList.load(der)}) for der in crls]
    for der in others:
        other = cms.OtherRevocationInfoFormat(
            {
                "other_rev_info_format": "ocsp_response",
                "other_rev_info": asn1_ocsp.OCSPResponse.load(der),
            }
        )
        choices.append(cms.RevocationInfoChoice({"other": other}))
    if choices:
        data["crls"] = choices
    whole = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(data)}).dump()
    if order:
        return whole.replace(own.dump()[own_header(own.dump()) :], message[own_header(message) :])
    return whole


def stamped(make):
    """An unsigned attribute: a timestamp of the signature value, which `make` gives in DER."""

    def of(value):
        return attribute("signature_time_stamp_token", cms.ContentInfo.load(make(value)))

    return of


def tlv(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def own_header(der):
    return 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)


def parts(content):
    """The values in a constructed one, each as tag, header and content."""
    at = 0
    while at < len(content):
        header = own_header(content[at:])
        length = content[at + 1]
        if length >= 0x80:
            length = int.from_bytes(content[at + 2 : at + header], "big")
        yield content[at], content[at : at + header + length], content[at + header : at + header + length]
        at += header + length


def ber(der, depth=99, pieces=0, long=False, untouched=()):
    """The same value in BER: constructed values of indefinite length down to a depth, octet strings in pieces, or
    lengths in more bytes than they need. What is signed or identified by its bytes stays in DER."""
    out = b""
    for tag, whole, content in parts(der):
        if whole in untouched:
            out += whole
        elif tag & 0x20 and depth > 0:
            inner = ber(content, depth - 1, pieces, long, untouched)
            if long:
                out += bytes([tag, 0x84]) + len(inner).to_bytes(4, "big") + inner
            else:
                out += bytes([tag, 0x80]) + inner + b"\0\0"
        elif tag == 4 and pieces and len(content) > pieces:
            cut = [content[at : at + pieces] for at in range(0, len(content), pieces)]
            out += b"\x24\x80" + b"".join(tlv(4, piece) for piece in cut) + b"\0\0"
        else:
            out += whole
    return out


def fixed(der):
    """What of a CMS stays in DER: certificates, lists, signed attributes, timestamps."""
    info = cms.ContentInfo.load(der)["content"]
    kept = {one.chosen.dump() for one in info["certificates"]} if info["certificates"].native else set()
    if info["crls"].native:
        kept |= {one.dump() for one in info["crls"]}
    for signer in info["signer_infos"]:
        kept.add(tlv(0xA0, signer["signed_attrs"].contents))
    return kept
