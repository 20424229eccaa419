"""The linter of others: pkilint's rules of RFC 5280, in process."""

from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pkilint import loader
from pkilint.pkix import certificate as rules
from pkilint.pkix import extension, name
from pkilint.validation import ValidationFindingSeverity


def findings(certificate: x509.Certificate) -> list[str]:
    """What RFC 5280 forbids, or advises against."""
    document = loader.load_der_certificate(certificate.public_bytes(Encoding.DER), "certificate")
    return [
        f"{found.finding.severity.name} {found.finding.code}"
        for result in _validator().validate(document.root)
        for found in result.finding_descriptions
        if found.finding.severity <= ValidationFindingSeverity.NOTICE
    ]


def pem_file(path: Path, *certificates: x509.Certificate) -> Path:
    """The certificates in a file."""
    path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
    return path


@cache
def _validator() -> Any:
    return rules.create_pkix_certificate_validator_container(
        rules.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            rules.create_issuer_validator_container([]),
            rules.create_validity_validator_container(),
            rules.create_subject_validator_container([]),
            rules.create_extensions_validator_container([]),
            rules.create_spki_validator_container([]),
        ],
    )
