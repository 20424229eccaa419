"""Anybody's EST server as the parent, each with what it insists on: libest, GlobalSign, foundries.io, a pinned one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from support import pki
from support.foreign import Foreign
from support.layers import Above, Forwarder, Makers, foreign_upstream
from support.shapes import device_identity, est_identity
from support.stub import Heard, Reply, certs_only

pytestmark = pytest.mark.xdist_group("foreign parents")


def _insisting(
    holds: Callable[[Heard], bool], then: Callable[[Heard], Reply], status: int = 400
) -> Callable[..., Reply]:
    """An answer to those who do what a server insists on; a refusal to all others."""
    return lambda heard: (
        then(heard) if holds(heard) else Reply(status, b"Not like that.", {"Content-Type": "text/plain"})
    )


@pytest.mark.conformance("CL-16", "CL-1")
def test_libest_gets_its_exact_media_type_lines_and_password(tmp_path: Path) -> None:
    with Foreign(tmp_path) as foreign:

        def as_libest(heard: Heard) -> bool:
            lines = heard.body.splitlines()
            return heard.headers["Content-Type"] == "application/pkcs10" and all(len(one) <= 64 for one in lines)

        issue = foreign.answers["simpleenroll"]
        assert callable(issue)
        foreign.answers["simpleenroll"] = _insisting(as_libest, issue)
        with Forwarder(tmp_path / "n", foreign_upstream(tmp_path, foreign)) as forwarder:
            request = est_identity("pump-1")
            certificate = forwarder.ready().line().enroll(request).certificate
            shown = forwarder.line().get("cacerts").certificates
        assert certificate.issuer == foreign.ca.certificate.subject
        assert shown == [foreign.ca.certificate]
        assert not [name for name in foreign.heard[-1].headers if name.startswith(("Nestor-", "Client-Cert"))]


@pytest.mark.conformance("RA-9")
def test_globalsign_never_sees_a_renewal_that_it_would_compare_with_the_forwarder(tmp_path: Path) -> None:
    makers = Makers(tmp_path)
    with Above(tmp_path / "above", makers) as above:
        above.answers["simplereenroll"] = Reply(403, b"The names differ.", {"Content-Type": "text/plain"})
        upstream = {
            "url": above.base,
            "anchors": f"file:{above.anchor}",
            **makers.certify("upper"),
            "conveys": False,
            "reenrollAs": "enroll",
        }
        with Forwarder(tmp_path / "n", upstream) as forwarder:
            line = forwarder.ready().line()
            identity = line.enrolled(est_identity("pump-1"))
            device = forwarder.device(identity=identity)
            assert device.reenroll(est_identity("pump-1")).certificate.subject == identity.certificate.subject
            with above.hearing() as heard:
                assert device.reenroll(est_identity("pump-2")).status == 403
    assert heard == []
    assert {one.path.rpartition("/")[2] for one in above.asked} == {"simpleenroll"}


def test_a_parent_may_count_from_one_with_each_of_its_cas_and_give_a_certificate_once_more(tmp_path: Path) -> None:
    with Foreign(tmp_path) as foreign:
        second = foreign.ca.intermediate("Second")
        foreign.answers["cacerts"] = certs_only(second.certificate, foreign.ca.certificate)
        given: dict[str, x509.Certificate] = {}

        def once(csr: x509.CertificateSigningRequest) -> x509.Certificate:
            name = csr.subject.rfc4514_string()
            issuer = second if name == "CN=pump-2" else foreign.ca
            return given.setdefault(name, foreign.certify(csr, serial=1, ca=issuer))

        foreign.issue = once
        with Forwarder(tmp_path / "n", foreign_upstream(tmp_path, foreign)) as forwarder:
            line = forwarder.ready().line()
            first = line.enrolled(est_identity("pump-1"))
            assert line.enroll(est_identity("pump-2")).certificate.serial_number == 1
            again = forwarder.device(identity=first).reenroll(est_identity("pump-1", first.key))
            assert again.certificate == first.certificate
            refused = line.enroll(est_identity("pump-3"))
            assert (refused.status, b"same serial number" in refused.body) == (503, True)
    assert [*given] == ["CN=pump-1", "CN=pump-2", "CN=pump-3"]


@pytest.mark.conformance("CL-15", "CL-19", "CL-14")
@pytest.mark.parametrize("tolerant", [True, False])
def test_foundries_answers_201_in_pem_to_exactly_one_certificate(tolerant: bool, tmp_path: Path) -> None:
    makers = Makers(tmp_path)
    with Above(tmp_path / "above", makers) as above:

        def created(certificate: x509.Certificate) -> Reply:
            pem = pkcs7.serialize_certificates([certificate], Encoding.PEM)
            return Reply(201, pem, {"Content-Type": "application/pkcs7-mime"})

        above.enrolled = created
        issue = above.answers["simpleenroll"]
        assert callable(issue)
        above.answers["simpleenroll"] = _insisting(lambda heard: heard.chain == 1, issue, 401)
        upstream = {
            "url": above.base,
            "anchors": f"file:{above.anchor}",
            **makers.certify("upper"),
            "conveys": False,
            "leafOnly": True,
            "acceptCreated": tolerant,
        }
        with Forwarder(tmp_path / "n", upstream) as forwarder:
            answer = forwarder.ready().line().enroll(device_identity("pump-1"))
    assert answer.status == (200 if tolerant else 502)
    assert above.asked[-1].chain == 1


@pytest.mark.conformance("CL-19")
def test_the_chain_is_shown_where_nobody_says_otherwise(tmp_path: Path) -> None:
    makers = Makers(tmp_path)
    with Above(tmp_path / "above", makers) as above:
        upstream = {"url": above.base, "anchors": f"file:{above.anchor}", **makers.certify("upper")}
        with Forwarder(tmp_path / "n", upstream) as forwarder:
            assert forwarder.ready().line().enroll(device_identity("pump-1")).status == 200
    assert above.asked[-1].chain == 2


@pytest.mark.conformance("CL-6", "CL-8")
def test_a_parent_is_believed_by_a_pinned_fingerprint_and_by_no_other(tmp_path: Path) -> None:
    with Foreign(tmp_path) as foreign:
        pinned = {
            **foreign_upstream(tmp_path, foreign),
            "fingerprint": foreign.ca.certificate.fingerprint(SHA256()).hex(),
        }
        del pinned["anchors"]
        with Forwarder(tmp_path / "n", pinned) as forwarder:
            assert forwarder.ready().line().enroll(device_identity("pump-1")).status == 200
            assert foreign.ca.pem().decode() in (forwarder.data / "upstream.json").read_text("utf-8").replace(
                "\\n", "\n"
            )
        with Forwarder(tmp_path / "other", {**pinned, "fingerprint": "00" * 32}) as other:
            answer = other.line().enroll(device_identity("pump-2"))
    assert answer.status in {502, 503}


@pytest.mark.conformance("CL-1", "CL-5")
def test_a_parent_that_no_anchor_stands_for_gets_no_password(tmp_path: Path) -> None:
    with Foreign(tmp_path) as foreign:
        stranger = pki.authority("Stranger").write(tmp_path, "stranger.pem")
        upstream = {**foreign_upstream(tmp_path, foreign), "anchors": f"file:{stranger}"}
        with Forwarder(tmp_path / "n", upstream) as forwarder:
            answer = forwarder.line().enroll(device_identity("pump-1"))
    assert answer.status == 502
    assert "does not come from a CA that is trusted here" in answer.text
    assert foreign.heard == []


def test_what_is_forwarded_does_not_keep_the_paths_here_from_issuing(tmp_path: Path) -> None:
    with Foreign(tmp_path) as foreign:
        upstream = foreign_upstream(tmp_path, foreign)
    with Forwarder(tmp_path / "n", upstream) as forwarder:
        line = forwarder.line()
        assert line.get("cacerts").status == 503
        answer = line.enroll(device_identity("pump-1"))
        assert (answer.status, answer["Retry-After"]) == (503, "5")
        assert line.but(label="here").enroll(device_identity("pump-1")).status == 200


@pytest.mark.parametrize(
    ("document", "problems"),
    [
        ({"labels": {}}, ["upstream"]),
        ({}, ["upstream"]),
        ({"authority": {"kind": "local"}, "labels": {"above": {"authority": "upstream"}}}, None),
    ],
)
def test_a_dead_parent_is_told_by_readyz_where_the_path_without_a_label_is_forwarded(
    tmp_path: Path, document: dict[str, Any], problems: list[str] | None
) -> None:
    with Foreign(tmp_path) as foreign:
        upstream = foreign_upstream(tmp_path, foreign)
    with Forwarder(tmp_path / "n", upstream, document) as forwarder:
        answer = forwarder.line().ask("GET", "/readyz")
    assert answer.status == (503 if problems else 200)
    told = json.loads(answer.body).get("problems")
    assert (list(told) if told else None) == problems
