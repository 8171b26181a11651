"""Verifies every signature in a PDF with pyHanko: verify_pades.py FILE ROOT_PEM. Exit 0 when all are good."""

import logging
import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

logging.disable(logging.CRITICAL)


def main() -> int:
    file, root = sys.argv[1:]
    with open(file, "rb") as opened:
        signatures = PdfFileReader(opened).embedded_signatures
        if not signatures:
            print("no signature")
            return 1
        for signature in signatures:
            context = ValidationContext(trust_roots=[load_cert_from_pemder(root)], allow_fetching=False)
            status = validate_pdf_signature(signature, context)
            print(status.summary())
            print(signature.field_name, status.coverage.name, signature.sig_object["/SubFilter"])
            whole = status.coverage.name == "ENTIRE_FILE"
            if not (status.valid and status.intact and status.trusted and whole):
                return 1
    return 0


sys.exit(main())
