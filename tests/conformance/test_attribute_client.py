"""CSR attributes as the client of Nestor reads them: faulty ones, templates, both forms at once."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support import pki
from support.shapes import CLIENT_AUTH
from support.stub import Stub, attributes, issuing

# The example that RFC 7030, 4.5.2, prints, and the same in the form that RFC 9908, 5.2, wants.
_FAULTY = "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw=="
_MENDED = "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw=="
# A P-256 key and clientAuth in the old form, and behind it a template that wants O=Contoso OT in the subject as well.
_BOTH_FORMS = (
    "MIG8MBUGByqGSM49AgExCgYIKoZIzj0DAQcwJAYJKoZIhvcNAQkOMRcwFTATBgNVHSUEDDAKBggrBgEFBQcDAgYIKoZIzj0EAwIwcwYLKoZIhvcNAQkQ"
    "Aj0xZDBiAgEAMB4xBzAFBgNVBAMxEzARBgNVBAoMCkNvbnRvc28gT1SgFTATBgcqhkjOPQIBBggqhkjOPQMBB6EmMCQGCSqGSIb3DQEJDjEXMBUwEwYD"
    "VR0lBAwwCgYIKwYBBQUHAwI="
)
# Templates that want nothing: their attributes empty, and missing.
_EMPTY = "MBgwFgYLKoZIhvcNAQkQAj0xBzAFAgEAoQA="
_MISSING = "MBYwFAYLKoZIhvcNAQkQAj0xBTADAgEA"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Stub]:
    """Somebody else's server, which certifies what it is asked for."""
    ca = pki.authority("Other Root")
    ca.write(tmp_path)
    with Stub(tmp_path, ca.issue("other", alternative_names=["localhost"], client=False, server=True)) as stub:
        stub.answers["simpleenroll"] = issuing(ca)
        yield stub


def _est(other: Stub, place: Path, *words: str) -> str:
    command = (sys.executable, "-m", "nestor", "est", words[0], other.url, "--cacert", "anchor.pem", *words[1:])
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30, cwd=place).stdout


@pytest.mark.conformance("CSR-6")
def test_the_faulty_example_of_rfc_7030_is_read_like_the_mended_one(other: Stub, tmp_path: Path) -> None:
    told = []
    for example in (_FAULTY, _MENDED):
        other.answers["csrattrs"] = attributes(base64.b64decode(example))
        told.append(json.loads(_est(other, tmp_path, "csrattrs", "--json")))
    assert [(one["key"], one["signature"]) for one in told] == [("ec-p384", "sha384")] * 2


@pytest.mark.conformance("CSR-9")
def test_a_template_counts_alone_where_both_forms_are_sent(other: Stub, tmp_path: Path) -> None:
    other.answers["csrattrs"] = attributes(base64.b64decode(_BOTH_FORMS))
    _est(other, tmp_path, "enroll", "--common-name", "pump-1")
    csr = next(heard.csr for heard in other.heard if heard.method == "POST")
    assert [(part.oid, part.value) for part in csr.subject] == [
        (NameOID.COMMON_NAME, "pump-1"),
        (NameOID.ORGANIZATION_NAME, "Contoso OT"),
    ]
    assert isinstance(csr.public_key(), ec.EllipticCurvePublicKey)
    usages = csr.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [CLIENT_AUTH]


@pytest.mark.conformance("CSR-10")
@pytest.mark.parametrize("template", [_EMPTY, _MISSING])
def test_a_template_that_wants_nothing_is_read(other: Stub, tmp_path: Path, template: str) -> None:
    other.answers["csrattrs"] = attributes(base64.b64decode(template))
    assert json.loads(_est(other, tmp_path, "csrattrs", "--json")) == {}
