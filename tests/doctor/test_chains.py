"""How certificates hang together."""

import pytest
from cryptography import x509

from nestor.doctor.chains import extension, find_path, is_ca, is_root, issued, room_below
from support import pki, signing
from support.asking import NOW
from support.signing import Signed

_ROOT = pki.authority()
_BELOW = _ROOT.intermediate("Issuing")
_LEAF = _BELOW.issue("leaf").certificate
_OTHER = pki.authority("Other")


def _path(*lengths: int | None) -> list[x509.Certificate]:
    """CA certificates of these path lengths, the root last."""
    return [signing.root("CA", path_length=length).certificate for length in lengths]


def test_a_path_goes_up_to_a_root() -> None:
    found = find_path(_LEAF, [_BELOW.certificate], [_ROOT.certificate])
    assert found.certificates == (_LEAF, _BELOW.certificate, _ROOT.certificate)


def test_an_intermediate_is_an_anchor_only_where_told_so() -> None:
    assert find_path(_LEAF, [], [_BELOW.certificate]).certificates == ()
    assert find_path(_LEAF, [], [_BELOW.certificate], partial=True).certificates == (_LEAF, _BELOW.certificate)


@pytest.mark.parametrize(
    ("others", "anchors"),
    [([], [_ROOT.certificate]), ([_BELOW.certificate], [_OTHER.certificate]), ([_ROOT.certificate], []), ([], None)],
)
def test_where_there_is_no_path_openssl_says_why(
    others: list[x509.Certificate], anchors: list[x509.Certificate] | None
) -> None:
    found = find_path(_LEAF, others, anchors)
    assert found.certificates == ()
    assert found.words


def test_an_expired_certificate_is_not_a_broken_chain() -> None:
    root = Signed(_ROOT.certificate, _ROOT.key)
    old = root.sign("old", start=NOW.replace(2020), end=NOW.replace(2021))
    assert len(find_path(old.certificate, [], [_ROOT.certificate]).certificates) == 2


def test_who_issued_whom() -> None:
    assert issued(_LEAF, _BELOW.certificate)
    assert not issued(_LEAF, _ROOT.certificate)
    assert is_root(_ROOT.certificate)
    assert not is_root(_BELOW.certificate)


def test_a_ca_of_the_same_name_is_another_ca() -> None:
    assert not issued(_BELOW.certificate, pki.authority().certificate)


def test_a_ca_may_sign() -> None:
    usage = (signing.key_usage("digital_signature"),)
    assert is_ca(_BELOW.certificate)
    assert is_ca(signing.sign("no usage", ca=True).certificate)
    assert not is_ca(signing.sign("wrong usage", ca=True, extensions=usage).certificate)
    assert not is_ca(signing.sign("no constraints", ca=None).certificate)
    assert not is_ca(_LEAF)


@pytest.mark.parametrize(
    ("lengths", "room"),
    [((0,), 0), ((1,), 1), ((0, None), 0), ((1, 1), 0), ((1, 2), 1), ((None, 2, 3), 1), ((None, 0), -1)],
)
def test_the_room_below_is_what_all_path_lengths_leave(lengths: tuple[int | None, ...], room: int) -> None:
    assert room_below(_path(*lengths)) == room


def test_without_a_path_length_there_is_room() -> None:
    assert room_below(_path(None, None)) > 100


def test_an_extension_that_is_not_there_is_none() -> None:
    assert extension(_LEAF, x509.NameConstraints) is None
