"""What pyHanko says of a file: `good`, or why not."""

import asyncio
import warnings
from io import BytesIO

from asn1crypto import crl as asn1_crl, ocsp as asn1_ocsp
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore, validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.errors import NoDSSFoundError, ValidationInfoReadingError
from pyhanko.sign.validation.policy_decl import LocalKnowledge, PdfSignatureValidationSpec, SignatureValidationSpec
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer

USAGE = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)


class Judge:
    def __init__(self, roots, lists):
        self.roots = roots
        self.lists = [asn1_crl.CertificateList.load(der) for der in lists]
        spec = SignatureValidationSpec(
            cert_validation_policy=CertValidationPolicySpec(
                trust_manager=SimpleTrustManager.build(roots), revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO)
            ),
            local_knowledge=LocalKnowledge(known_crls=[CRLContainer(one) for one in self.lists]),
            key_usage_settings=USAGE,
        )
        self.spec = PdfSignatureValidationSpec(spec)

    def context(self, reader, mode="soft-fail"):
        """As of now, with the lists that are published and the document security store. Revocation values are not
        required, as pyHanko's default is."""
        options = {"trust_roots": self.roots, "allow_fetching": False, "revocation_mode": mode}
        try:
            store = DocumentSecurityStore.read_dss(reader)
        except (NoDSSFoundError, ValidationInfoReadingError):
            return ValidationContext(crls=self.lists, **options)
        lists = self.lists + [asn1_crl.CertificateList.load(one.get_object().data) for one in store.crls]
        responses = [asn1_ocsp.OCSPResponse.load(one.get_object().data) for one in store.ocsps]
        return ValidationContext(crls=lists, ocsps=responses, other_certs=list(store.load_certs()), **options)

    def of(self, content):
        """The signatures as they are now; and where they are not trusted so, by the procedure of EN 319 102-1."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return self.each(PdfFileReader(BytesIO(content), strict=True))
            except Exception as error:
                return f"error: {type(error).__name__}"

    def each(self, reader):
        if not reader.embedded_regular_signatures:
            return "no signature"
        for signature in reader.embedded_signatures:
            if signature.sig_object.get("/Type") == "/DocTimeStamp":
                status = validate_pdf_timestamp(signature, self.context(reader))
                is_good = status.trusted
            else:
                validate = lambda mode: validate_pdf_signature(
                    signature, self.context(reader, mode), key_usage_settings=USAGE
                )
                status = validate("soft-fail")
                is_good = status.bottom_line
                if is_good and validate("require").revoked:
                    return "revoked"
            if not status.intact or not status.valid:
                return "not intact"
            if getattr(status, "docmdp_ok", True) is False:
                return "changed"
            if is_good:
                continue
            if status.revoked:
                return "revoked"
            if signature.sig_object.get("/Type") == "/DocTimeStamp":
                return "timestamp not trusted"
            result = asyncio.run(ades_lta_validation(signature, self.spec)).ades_subindic
            if result.status.name != "PASSED":
                return result.standard_name.lower()
        return "good"
