"""Full CMC: not offered, and said so."""

import pytest

from support.device import Device, wrapped
from support.shapes import est_identity


@pytest.mark.conformance("CMC-1")
@pytest.mark.parametrize("kind", ["application/pkcs7-mime; smime-type=CMC-request", "application/pkcs10"])
def test_full_cmc_is_known_and_not_offered(line: Device, kind: str) -> None:
    answer = line.post("fullcmc", wrapped(est_identity("cmc").der), Content_Type=kind)
    assert (answer.status, (answer["Content-Type"] or "").partition(";")[0]) == (501, "text/plain")
