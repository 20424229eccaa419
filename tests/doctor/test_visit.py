"""`nestor doctor` at servers that are not ours: each is sound but for one thing, and that is what it finds."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from nestor.doctor import authentication
from support import breaking, pki, shapes
from support.asking import subject
from support.breaking import Change, answering, issuing, showing, typed, with_body
from support.foreign import CLIENT, NAMES, Foreign, asking, closing, silent, without_tls
from support.stub import Reply
from support.visiting import visit, visit_foreign

_PKCS7 = "application/pkcs7-mime"
_TEXT = {"Content-Type": "text/plain"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Foreign]:
    root = pki.authority("Foreign Root")
    with Foreign(tmp_path, root, context=asking(root.certificate)) as running:
        yield running


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (answering(status=201), "answers 201 Created where aziot-certd takes 200 only"),
        (answering(status=202), "it wants to decide later"),
        (answering(status=204, body=b""), "answers 204 No Content"),
        (answering(status=503, body=b"No.", headers=_TEXT), 'aziot-certd takes 200 only: "No."'),
        (typed("Application/PKCS7-mime"), "compares letter by letter"),
        (typed(f"{_PKCS7} ; smime-type=certs-only"), "the space before the semicolon"),
        (typed("text/html"), f'"text/html", which is not {_PKCS7}'),
        (answering(headers={}), "answers without a Content-Type"),
        (with_body(breaking.bare), "bare DER, without base64 around it"),
        (with_body(breaking.pem), "PEM of another kind"),
        (with_body(lambda _: b"no base64!"), "a body that is not base64"),
        (breaking.behind_its_issuer, "2 certificates instead of one, and aziot-certd takes the first one"),
        (issuing(key=shapes.p256().public_key()), "a certificate for another key"),
        (issuing(subject=subject("pump-9")), 'It names "pump-9" where "pump-1" was asked for'),
        (issuing(extensions=[x509.BasicConstraints(ca=False, path_length=None)]), "It lacks clientAuth"),
        (breaking.in_an_hour, "It is not valid before"),
        (breaking.weeks_ago, "80 % of its lifetime are over"),
        (breaking.from_stranger, "is not in /cacerts: it has no chain"),
        (showing(Reply(500)), "On /cacerts the server answers 500 Internal"),
        (showing(Reply(404)), "On /cacerts the server answers 404 Not Found"),
        (showing(Reply(200, b"", {"Content-Type": _PKCS7})), "On /cacerts the server answers with an empty body"),
        (showing(Reply(301, headers={"Location": "/est"})), "a redirect to /est"),
        (breaking.slash_needed, "It is served with a slash at its end"),
        (breaking.one_thing_at_a_time, "throws away what was issued"),
        (breaking.any_password, "lets in a user that does not exist"),
    ],
)
def test_each_broken_server_is_told_its_fault_and_no_other(server: Foreign, change: Change, found: str) -> None:
    change(server)
    visited = visit_foreign(server)
    assert found in visited.problem
    assert visited.code == 7
    assert visited.verdict.endswith("1 problem.")


def test_a_sound_server_is_found_fit(server: Foreign) -> None:
    visited = visit_foreign(server, "--edge-ca")
    assert (visited.code, visited.problems, visited.warnings) == (0, [], [])
    assert visited.verdict == "aziot-certd gets along with this server."
    assert sum("The server issued" in sentence for sentence in visited.fine) == 4
    *enrollments, renewal = [heard for heard in server.heard if heard.method == "POST"][2:]
    assert [heard.peer for heard in enrollments] == [None, None, None]
    assert all("authorization" in heard.headers for heard in enrollments)
    assert renewal.peer is not None
    assert "authorization" not in renewal.headers


def test_nothing_is_issued_unasked(server: Foreign) -> None:
    visited = visit_foreign(server, enroll=False)
    assert (visited.code, visited.problems) == (0, [])
    assert "The server lets in the user line." in visited.fine
    assert "Enrolling was not tried, for it leaves certificates behind." in visited.fine
    assert visited.verdict.endswith("as far as can be told without enrolling.")
    posted = [base64.b64decode(heard.body) for heard in server.heard if heard.method == "POST"]
    assert posted == 3 * [authentication.NO_REQUEST]


def test_what_was_issued_is_named_even_where_the_answer_is_not_taken(server: Foreign) -> None:
    answering(status=201)(server)
    issued = []
    server.issue = lambda csr: issued.append(server.certify(csr)) or issued[-1]
    (left,) = [sentence for sentence in visit_foreign(server).fine if sentence.startswith("Left behind")]
    assert f"{issued[0].serial_number:x}" in left


def test_a_chain_behind_its_certificate_is_a_warning(server: Foreign) -> None:
    breaking.before_its_issuer(server)
    visited = visit_foreign(server)
    assert visited.problems == []
    assert all("instead of one. aziot-certd takes the first one" in sentence for sentence in visited.warnings)
    assert len(visited.warnings) == 3


def test_an_edge_ca_that_may_not_sign_is_found(server: Foreign) -> None:
    plain = x509.BasicConstraints(ca=False, path_length=None)
    server.issue = lambda csr: server.certify(csr, extensions=[plain, CLIENT])
    assert "no module of the device would start" in visit_foreign(server, "--edge-ca").problem


def test_a_ca_without_room_for_an_edge_ca_is_found(tmp_path: Path) -> None:
    root = pki.authority("Foreign Root")
    below = root.intermediate("Full", path_length=0)
    with Foreign(tmp_path, root, below=below) as server:
        assert "leave no room for an Edge CA below CN=Full" in visit_foreign(server, "--edge-ca", enroll=False).problem
        assert "leave no room for an Edge CA below CN=Full" in visit_foreign(server, enroll=False).warnings[0]


def test_a_renewal_by_the_leaf_alone_needs_the_issuing_ca(tmp_path: Path) -> None:
    """A server that knows its root only believes whoever sends the chain, and nobody who sends the leaf alone."""
    root = pki.authority("Foreign Root")
    below = root.intermediate("Foreign Issuing")
    with Foreign(tmp_path, root, below=below, context=asking(root.certificate)) as server:
        found = visit_foreign(server).problem
        assert "Asked for a renewed EST identity, shown the old leaf alone" in found
        assert "unknown_ca (48)" in found
        assert "the issuing CA itself" in found
    with Foreign(tmp_path, root, below=below, context=asking(root.certificate, below.certificate)) as server:
        assert visit_foreign(server).problems == []


def test_a_certificate_at_hand_is_shown_with_its_chain_and_alone(tmp_path: Path) -> None:
    root = pki.authority("Foreign Root")
    below = root.intermediate("Foreign Issuing")
    certificate, key = pki.write(_directory(tmp_path / "device"), below.issue("pump-1"))
    identity = ("--cert", certificate, "--key", key)
    with Foreign(tmp_path, root, below=below, context=asking(root.certificate)) as server:
        found = visit(server.base, "--cacert", server.anchor, *identity).problem
        assert "Shown the certificate CN=pump-1 without its chain, as aziot-certd renews its EST identity" in found
    with Foreign(tmp_path, root, below=below, context=asking(root.certificate, below.certificate)) as server:
        visited = visit(server.base, "--cacert", server.anchor, *identity)
        assert (visited.problems, visited.warnings) == ([], [])
        assert "TLS takes the certificate CN=pump-1, with its chain and alone." in visited.fine
        assert "The server lets in the certificate CN=pump-1." in visited.fine


def test_a_bootstrap_certificate_may_need_its_chain(tmp_path: Path) -> None:
    root, factory = pki.authority("Foreign Root"), pki.authority("Factory")
    certificate, key = pki.write(_directory(tmp_path / "device"), factory.intermediate("Line 1").issue("pump-1"))
    with Foreign(tmp_path, root, context=asking(root.certificate, factory.certificate)) as server:
        visited = visit(server.base, "--cacert", server.anchor, "--cert", certificate, "--key", key)
        assert visited.problems == []
        assert "A bootstrap certificate is sent with its chain." in visited.warnings[0]


def test_a_bootstrap_is_played_to_its_end(tmp_path: Path) -> None:
    root, factory = pki.authority("Foreign Root"), pki.authority("Factory")
    certificate, key = pki.write(_directory(tmp_path / "device"), factory.issue("pump-1"))
    with Foreign(tmp_path, root, context=asking(root.certificate, factory.certificate)) as server:
        words = ("--cert", certificate, "--key", key, "--enroll", "--edge-ca")
        visited = visit(server.base, "--cacert", server.anchor, *words)
        assert (visited.problems, visited.warnings) == ([], [])
        posted = [heard for heard in server.heard if heard.method == "POST"][1:]
        shown = [x509.load_der_x509_certificate(heard.peer).issuer.rfc4514_string() for heard in posted if heard.peer]
        assert shown == ["CN=Factory", *3 * ["CN=Foreign Root"]]


def test_a_certificate_that_the_server_does_not_know_is_refused_in_tls(tmp_path: Path) -> None:
    root = pki.authority("Foreign Root")
    certificate, key = pki.write(_directory(tmp_path / "device"), pki.authority("Stranger").issue("pump-1"))
    with Foreign(tmp_path, root, context=asking(root.certificate)) as server:
        visited = visit(server.base, "--cacert", server.anchor, "--cert", certificate, "--key", key, "--enroll")
        assert "ends TLS with the alert unknown_ca (48)" in visited.problem
        assert "Not looked at, for a device would not come so far: enrollment." in visited.warnings


def test_no_password_goes_to_a_server_that_is_not_believed(tmp_path: Path, server: Foreign) -> None:
    other = pki.authority("Other").write(_directory(tmp_path / "other"))
    server.anchor = other
    visited = visit_foreign(server)
    assert "which --cacert does not trust" in visited.problem
    assert visited.code == 7
    assert "for no password is sent to a server that is not believed: authentication" in visited.warnings[0]
    assert not [heard for heard in server.heard if "authorization" in heard.headers]


@pytest.mark.parametrize(
    ("names", "days", "found"),
    [
        (("est.plant.example",), 30, "It is not good for localhost: it is good for est.plant.example"),
        ((), 30, "It is not good for localhost: it carries no alternative name"),
        (NAMES, 0.5, "expired on"),
    ],
)
def test_a_certificate_of_the_server_that_devices_do_not_take(
    tmp_path: Path, names: tuple[str, ...], days: float, found: str
) -> None:
    root = pki.authority("Foreign Root")
    shown = root.issue("est", alternative_names=names, server=True, client=False, days=days)
    with Foreign(tmp_path, root, shown=shown) as server:
        assert found in visit_foreign(server).problem
        assert not [heard for heard in server.heard if "authorization" in heard.headers]


def test_a_server_that_insists_on_certificates_keeps_passwords_out(tmp_path: Path) -> None:
    root = pki.authority("Foreign Root")
    with Foreign(tmp_path, root, context=asking(root.certificate, insist=True)) as server:
        assert "insists on a client certificate" in visit_foreign(server).problem
        certificate, key = pki.write(_directory(tmp_path / "device"), root.issue("pump-1"))
        visited = visit(server.base, "--cacert", server.anchor, "--cert", certificate, "--key", key)
        assert visited.problems == []
        assert "insists on a client certificate" in visited.warnings[0]


def test_a_label_that_the_server_does_not_know(server: Foreign) -> None:
    found = visit_foreign(server, "--label", "nowhere", enroll=False).problem
    assert "It is served without the label nowhere" in found


def test_a_base_that_the_server_does_not_know(server: Foreign) -> None:
    visited = visit(f"{server.url}/est", "--cacert", server.anchor)
    assert f"It is served at /.well-known/est: write {server.base}" in visited.problem
    assert "Not looked at, for nothing is served on that path: authentication and enrollment." in visited.warnings


def test_a_url_without_a_path_is_completed(server: Foreign) -> None:
    visited = visit(server.url, "--cacert", server.anchor)
    assert visited.problems == []
    assert f"The URL has no path; {server.base} is asked." in visited.fine


def test_ca_certificates_that_are_not_for_strangers(server: Foreign) -> None:
    shown = server.answers["cacerts"]
    assert isinstance(shown, Reply)
    server.answers["cacerts"] = lambda heard: shown if server.is_known(heard) else Reply(401)
    visited = visit(server.base, "--cacert", server.anchor)
    assert visited.problems == []
    assert "/cacerts is not for strangers (401), so it was not looked at." in visited.warnings
    assert visit_foreign(server).problems == []


def test_a_slow_server_is_not_waited_for_for_ever(server: Foreign) -> None:
    breaking.slow(3)(server)
    visited = visit_foreign(server, "--patience", "0.7")
    assert "On /cacerts the server does not answer within 0.7 seconds" in visited.problem


def test_a_port_that_speaks_plain_http() -> None:
    with without_tls() as port:
        assert "speaks plain HTTP on that port" in visit(f"https://localhost:{port}").problem


def test_a_port_that_speaks_tls_where_the_url_does_not(server: Foreign) -> None:
    visited = visit(server.base.replace("https:", "http:"))
    assert "The port speaks TLS, and the URL says plain HTTP." in visited.problems
    assert len(visited.problems) == 2


def test_a_port_that_closes_at_once() -> None:
    with closing() as port:
        visited = visit(f"https://localhost:{port}")
        assert "closes the connection in the middle of the TLS handshake" in visited.problem
        assert "Not looked at, for want of a TLS session" in visited.warnings[0]


def test_a_port_that_says_nothing() -> None:
    with silent() as port:
        assert "does not answer within" in visit(f"https://localhost:{port}", "--patience", "0.5").problem


def test_a_port_where_nobody_listens() -> None:
    with closing() as port:
        pass
    visited = visit(f"https://localhost:{port}")
    assert f"127.0.0.1 port {port} refuses" in visited.problem
    assert "Not looked at, for nothing can be connected to: TLS" in visited.warnings[0]


def test_a_name_that_stands_for_nothing() -> None:
    assert "The name est.plant.invalid cannot be resolved here" in visit("https://est.plant.invalid").problem


def _directory(place: Path) -> Path:
    place.mkdir()
    return place
