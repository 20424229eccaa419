"""Anchors of makers: what a bundle makes one of, and what is too near our own CA to be one."""

import pytest

from nestor.access.anchors import Bundle, check_distinct, keep_apart, read_bundle
from nestor.errors import MaterialError
from support.signing import Signed, root, sign

ROOT = root("Factory Root")
LINE = ROOT.sign("Factory Line", ca=True)
OWN_ROOT = root("Plant Root")
OWN = OWN_ROOT.sign("Nestor CA", ca=True)
EDGE_CA = OWN.sign("aziot-edge CA gw1", ca=True)


def bundle(*signed: Signed) -> Bundle:
    return read_bundle(b"".join(one.pem for one in signed), "factory.pem")


def test_the_tops_of_a_bundle_are_its_anchors() -> None:
    both = bundle(LINE, ROOT)
    assert both.anchors == (ROOT.certificate,)
    assert both.intermediates == (LINE.certificate,)
    assert set(both.certificates) == {ROOT.certificate, LINE.certificate}


def test_an_intermediate_alone_is_pinned_as_anchor() -> None:
    assert bundle(LINE).anchors == (LINE.certificate,)


@pytest.mark.parametrize("data", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_without_certificates_is_an_error(data: bytes) -> None:
    with pytest.raises(MaterialError, match=r"factory\.pem holds no readable"):
        read_bundle(data, "factory.pem")


def test_a_leaf_is_no_anchor() -> None:
    with pytest.raises(MaterialError, match="CN=dev1, which is not a CA's"):
        bundle(ROOT, ROOT.sign("dev1"))


@pytest.mark.parametrize(
    "given",
    [
        OWN,
        OWN_ROOT,
        EDGE_CA,
        root("Nestor CA"),
        sign("Other name, same key", ca=True, key=OWN.key),
        OWN_ROOT.sign("Sibling below our root", ca=True),
    ],
)
def test_an_anchor_that_is_kin_to_our_own_ca_is_refused(given: Signed) -> None:
    own = [OWN.certificate, OWN_ROOT.certificate]
    with pytest.raises(MaterialError, match="own, above it, or below it"):
        keep_apart(bundle(given), own, "factory.pem")


def test_an_anchor_above_our_root_is_refused() -> None:
    own = [OWN.certificate]
    with pytest.raises(MaterialError):
        keep_apart(bundle(OWN_ROOT), own, "factory.pem")


def test_kin_hidden_among_the_intermediates_is_refused_too() -> None:
    cross = sign("Nestor CA", issuer=ROOT, ca=True, key=OWN.key)
    with pytest.raises(MaterialError):
        keep_apart(bundle(ROOT, cross), [OWN.certificate], "factory.pem")


def test_a_stranger_is_no_kin() -> None:
    given = bundle(ROOT, LINE)
    assert keep_apart(given, [OWN.certificate, OWN_ROOT.certificate], "factory.pem") is given


def test_one_anchor_under_two_names_is_refused() -> None:
    check_distinct([("a", bundle(ROOT)), ("b", bundle(OWN_ROOT))])
    with pytest.raises(MaterialError, match="a and b share the anchor CN=Factory Root"):
        check_distinct([("a", bundle(ROOT)), ("b", bundle(ROOT, LINE))])
