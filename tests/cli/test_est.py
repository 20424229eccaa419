"""`nestor est` as a shell runs it: with a server of ours, and with somebody else's for what ours would not do."""

import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from support import pki, shapes
from support.server import Server
from support.shell import Done, nestor, nestor_here
from support.stub import Reply, Stub, attributes, certs_only, issuing

_PASSWORD = {"NESTOR_EST_PASSWORD": "grün:7Q2"}
_LINK = bytes.fromhex("300b06092a864886f70d010907")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    document = {
        "access": {"gateways": "gw-*"},
        "labels": {
            "linked": {"linking": True},
            "keys": {"profile": "deviceIdentity", "serverKeyGeneration": {"enabled": True}},
        },
    }
    with Server(tmp_path_factory.mktemp("server"), document) as running:
        running.add_user("line", "grün:7Q2", "*", profiles=("*",))
        yield running


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory that commands run in."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def _trusting(server: Server) -> tuple[str, ...]:
    return (server.url, "--cacert", str(server.ca_file))


def _as_line(server: Server) -> tuple[str, ...]:
    return (*_trusting(server), "--user", "line")


def _est(*words: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> Done:
    """Run a command of the EST client."""
    return nestor_here("est", *words, stdin=stdin, environment=environment)


def _certificate(place: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(place.read_bytes())


def _is_pair(certificate: Path, key: Path) -> bool:
    private = load_pem_private_key(key.read_bytes(), None)
    return bool(private.public_key() == _certificate(certificate).public_key())


def _mode(place: Path) -> int:
    return stat.S_IMODE(place.stat().st_mode)


def test_the_ca_is_shown_and_kept_as_anchor(server: Server, here: Path) -> None:
    done = nestor("est", "cacerts", *_trusting(server), "--out", "ca.pem")
    assert done.returncode == 0
    (role, _, fingerprint, _) = done.stdout.rstrip("\n").split("\t")
    kept = _certificate(here / "ca.pem")
    assert (role, fingerprint) == ("root", kept.fingerprint(hashes.SHA256()).hex().upper())
    assert _est("cacerts", server.url, "--cacert", "ca.pem").returncode == 0


def test_a_fingerprint_is_enough_to_begin_with(server: Server, here: Path) -> None:
    fingerprint = _certificate(server.ca_file).fingerprint(hashes.SHA256()).hex(":")
    assert _est("cacerts", server.url, "--fingerprint", fingerprint, "--out", "ca.pem").returncode == 0
    assert _certificate(here / "ca.pem") == _certificate(server.ca_file)


def test_a_wrong_fingerprint_keeps_nothing(server: Server, here: Path) -> None:
    done = _est("cacerts", server.url, "--fingerprint", "00" * 32, "--out", "ca.pem")
    assert done.returncode == 6
    assert done.stderr.startswith(f"error: {server.url} shows no CA certificate with the SHA-256 fingerprint")
    assert list(here.iterdir()) == []


def test_without_an_anchor_the_server_is_not_believed(server: Server) -> None:
    done = nestor("est", "cacerts", server.url)
    assert done.returncode == 6
    error, hint = done.stderr.splitlines()
    assert "does not come from a CA that is trusted here" in error
    assert "--fingerprint" in hint


def test_an_est_identity_is_enrolled_and_renewed(server: Server, here: Path) -> None:
    words = ("--common-name", "pump-1", "--est-identity")
    done = _est("enroll", *_as_line(server), *words, environment=_PASSWORD)
    assert done.returncode == 0, done.stderr
    certificate, key = here / "pump-1.cert.pem", here / "pump-1.key.pem"
    assert _is_pair(certificate, key)
    assert (_mode(certificate), _mode(key)) == (0o644, 0o600)
    first, first_key = _certificate(certificate), key.read_bytes()

    pair = ("--cert", certificate.name, "--key", key.name, "--est-identity")
    done = _est("reenroll", *_trusting(server), *pair)
    assert done.returncode == 0, done.stderr
    second = _certificate(certificate)
    assert second.serial_number != first.serial_number
    assert second.subject == first.subject
    assert key.read_bytes() != first_key
    assert _is_pair(certificate, key)
    assert _mode(key) == 0o600

    second_key = key.read_bytes()
    done = _est("reenroll", *_trusting(server), *pair, "--same-key", "--json")
    assert json.loads(done.stdout)["certificate"] == certificate.name
    assert key.read_bytes() == second_key
    assert _certificate(certificate).serial_number != second.serial_number
    assert _is_pair(certificate, key)
    assert sorted(place.name for place in here.iterdir()) == [certificate.name, key.name]


def test_a_renewed_pair_goes_beside_the_old_one_where_it_is_told_to(server: Server, here: Path) -> None:
    words = ("--common-name", "pump-3", "--est-identity", "--out", "old.pem", "--key-out", "old.key")
    assert _est("enroll", *_as_line(server), *words, environment=_PASSWORD).returncode == 0
    before = {place.name: place.read_bytes() for place in here.iterdir()}
    pair = ("--cert", "old.pem", "--key", "old.key", "--est-identity")
    beside = ("--out", "new.pem", "--key-out", "new.key")
    assert _est("reenroll", *_trusting(server), *pair, *beside).returncode == 0
    assert _is_pair(here / "new.pem", here / "new.key")
    assert _mode(here / "new.key") == 0o600
    assert {name: (here / name).read_bytes() for name in before} == before
    assert _est("reenroll", *_trusting(server), *pair, *beside).returncode == 4  # it is there already
    assert _est("reenroll", *_trusting(server), *pair, "--out", "half.pem").returncode == 2
    assert _est("reenroll", *_trusting(server), *pair, "--same-key", "--key-out", "same.key").returncode == 2
    assert _est("reenroll", *_trusting(server), *pair, "--same-key", "--out", "same.pem").returncode == 0
    assert _is_pair(here / "same.pem", here / "old.key")


def test_alternative_names_are_asked_for_and_kept_by_renewals(server: Server, here: Path) -> None:
    words = ("--common-name", "pump-2", "--dns", "pump-2", "--est-identity")
    done = _est("enroll", *_as_line(server), *words, environment=_PASSWORD)
    assert done.returncode == 0, done.stderr
    pair = ("--cert", "pump-2.cert.pem", "--key", "pump-2.key.pem", "--est-identity")
    done = _est("reenroll", *_trusting(server), *pair)
    assert done.returncode == 0, done.stderr
    names = _certificate(here / "pump-2.cert.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["pump-2"]


def test_an_edge_ca_is_asked_for(server: Server, here: Path) -> None:
    words = ("--common-name", "gw-1", "--edge-ca", "--out", "ca.pem", "--key-out", "ca.key")
    done = _est("enroll", *_as_line(server), *words, environment=_PASSWORD)
    assert done.returncode == 0, done.stderr
    constraints = _certificate(here / "ca.pem").extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    assert _is_pair(here / "ca.pem", here / "ca.key")


def test_a_request_made_elsewhere_is_sent_as_it_is(server: Server, here: Path) -> None:
    request = shapes.est_identity("pump-3")
    for name, content in (
        ("der.csr", request.der),
        ("pem.csr", x509.load_der_x509_csr(request.der).public_bytes(Encoding.PEM)),
    ):
        (here / name).write_bytes(content)
        done = _est("enroll", *_as_line(server), "--csr", name, environment=_PASSWORD)
        assert done.returncode == 0, done.stderr
        assert _certificate(here / f"{name.removesuffix('.csr')}.cert.pem").public_key() == request.key.public_key()


def test_a_request_is_linked_where_the_path_wants_it(server: Server, here: Path) -> None:
    shown = _est("csrattrs", *_trusting(server), "--label", "linked")
    assert shown.stdout == "linked  to its TLS session, by challengePassword\n"
    words = ("--label", "linked", "--common-name", "pump-4")
    done = _est("enroll", *_as_line(server), *words, environment=_PASSWORD)
    assert done.returncode == 0, done.stderr


def test_a_request_may_be_linked_anywhere(server: Server, here: Path) -> None:
    done = _est("enroll", *_as_line(server), "--common-name", "pump-5", "--link", environment=_PASSWORD)
    assert done.returncode == 0, done.stderr


def test_a_key_of_the_server_is_for_its_owner_alone(server: Server, here: Path) -> None:
    words = ("--label", "keys", "--common-name", "pump-6")
    done = _est("serverkeygen", *_as_line(server), *words, environment=_PASSWORD)
    assert done.returncode == 0, done.stderr
    assert _is_pair(here / "pump-6.cert.pem", here / "pump-6.key.pem")
    assert _mode(here / "pump-6.key.pem") == 0o600
    assert "PRIVATE" not in done.stdout + done.stderr


def test_a_refusal_is_told_in_the_servers_words(server: Server, here: Path) -> None:
    done = _est("enroll", *_trusting(server), "--common-name", "pump-7")
    assert done.returncode == 5
    assert "refuses simpleenroll (401): " in done.stderr
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("occupied", ["pump-8.cert.pem", "pump-8.key.pem"])
def test_nothing_is_overwritten_unasked(server: Server, here: Path, occupied: str) -> None:
    (here / occupied).write_text("precious")
    words = ("--common-name", "pump-8", "--est-identity")
    done = _est("enroll", *_as_line(server), *words, environment=_PASSWORD)
    assert done.returncode == 4
    assert f"{occupied} is there already." in done.stderr
    assert [(place.name, place.read_text()) for place in here.iterdir()] == [(occupied, "precious")]
    done = _est("enroll", *_as_line(server), *words, "--force", environment=_PASSWORD)
    assert done.returncode == 0, done.stderr
    assert _is_pair(here / "pump-8.cert.pem", here / "pump-8.key.pem")


def test_the_password_comes_from_a_file_or_a_pipe_too(server: Server, here: Path) -> None:
    (here / "password").write_text("grün:7Q2\n")
    words = ("--password-file", "password", "--common-name", "pump-9")
    assert _est("enroll", *_as_line(server), *words).returncode == 0
    piped = nestor("est", "enroll", *_as_line(server), "--common-name", "pump-10", stdin="grün:7Q2\n")
    assert piped.returncode == 0


def test_the_password_is_asked_for_on_a_terminal_and_not_shown(server: Server, here: Path) -> None:
    manager, terminal = pty.openpty()
    command = (sys.executable, "-m", "nestor", "est", "enroll", *_as_line(server), "--common-name", "pump-11")
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True) as process:
        os.close(terminal)
        shown = b""
        while b"Password: " not in shown:
            shown += os.read(manager, 1024)
        os.write(manager, "grün:7Q2\n".encode())
        assert process.wait(30) == 0
    shown += os.read(manager, 65_536)
    os.close(manager)
    assert b"7Q2" not in shown


def test_there_is_no_option_for_a_password() -> None:
    for command in ("csrattrs", "enroll", "reenroll", "serverkeygen"):
        told = _est(command, "--help").stdout
        assert "--password-file" in told
        assert "--password " not in told


def test_without_a_password_nobody_is_asked(server: Server) -> None:
    done = _est("csrattrs", *_as_line(server))
    assert done.returncode == 4
    assert "There is no password." in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Nothing says for whom the certificate is."),
        (("--common-name", "x" * 65), "No certificate can have that name"),
        (("--common-name", "x", "--ip", "pump"), "No certificate can have that name"),
        (("--common-name", "x", "--edge-ca", "--est-identity"), "An Edge CA has no alternative names"),
        (("--csr", "x.csr", "--common-name", "x"), "A request that is made already cannot be changed."),
        (("--common-name", "x", "--out", "y", "--key-out", "y"), "cannot go to the same file"),
        (("--common-name", "x", "--cacert", "a", "--fingerprint", "b"), "both say whom to believe"),
        (("--common-name", "x", "--fingerprint", "b"), "The fingerprint is not a SHA-256"),
        (("--common-name", "x", "--password-file", "b"), "--password-file is there without --user."),
        (("--common-name", "x", "--user", "a:b"), "holds no colon"),
        (("--common-name", "x", "--label", "a/b"), "cannot be a label"),
    ],
)
def test_options_that_cannot_be_are_told(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    done = _est("enroll", "https://est.example.invalid", *words, stdin="0815\n")
    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_url_without_tls_is_a_misuse(here: Path) -> None:
    done = _est("cacerts", "http://est.example.invalid")
    assert done.returncode == 2
    assert "EST is spoken over HTTPS only" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--csr", "nowhere.csr"), "The request nowhere.csr cannot be read"),
        (("--csr", "empty"), "empty holds no certification request."),
        (("--common-name", "x", "--cacert", "nowhere.pem"), "nowhere.pem cannot be read"),
        (("--common-name", "x", "--cert", "nowhere.pem", "--cacert", "ca.pem"), "The client certificate nowhere.pem"),
        (("--common-name", "x", "--out", "nowhere/x.pem"), "nowhere is not a directory."),
    ],
)
def test_files_that_cannot_be_used_are_told(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    (here / "empty").touch()
    pki.authority().write(here).rename(here / "ca.pem")
    done = _est("enroll", "https://est.example.invalid", *words)
    assert done.returncode == 4
    assert sentence in done.stderr


@pytest.fixture
def other(tmp_path: Path) -> Iterator[tuple[Stub, pki.CA]]:
    """Somebody else's server, and its CA in `anchor.pem`."""
    ca = pki.authority("Other Root")
    ca.write(tmp_path)
    with Stub(tmp_path, ca.issue("other", alternative_names=["localhost"], server=True)) as stub:
        stub.answers["simpleenroll"] = issuing(ca)
        yield stub, ca


def test_csr_attributes_are_told_in_words_and_followed(other: tuple[Stub, pki.CA], here: Path, tmp_path: Path) -> None:
    stub, _ = other
    wanted = (  # RSA-2048, keyUsage digitalSignature, clientAuth, sha256; and a type that nobody knows
        shapes.sequence(
            shapes.sequence(shapes.oid("1.2.840.113549.1.1.1"), shapes.set_of(shapes.integer(2048))),
            shapes.attribute(
                "1.2.840.113549.1.9.14",
                shapes.sequence(shapes.key_usage("digital_signature").der, shapes.client_auth().der),
            ),
            shapes.oid("1.2.840.113549.1.1.11"),
            shapes.oid("1.3.6.1.1.1.1.22"),
        )
    )
    stub.answers["csrattrs"] = attributes(wanted)
    trusting = (stub.url, "--cacert", str(tmp_path / "anchor.pem"))
    assert _est("csrattrs", *trusting).stdout.splitlines() == [
        "key         rsa of 2048 bits",
        "signature   sha256",
        "extensions  keyUsage digitalSignature (critical); extendedKeyUsage clientAuth",
        "also        1.3.6.1.1.1.1.22",
    ]
    done = _est("enroll", *trusting, "--common-name", "pump-1")
    assert done.returncode == 0, done.stderr
    csr = stub.heard[-1].csr
    assert csr.public_key().key_size == 2048  # type: ignore[union-attr]  # it is RSA
    usage = csr.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_nothing_wanted_is_told_too(other: tuple[Stub, pki.CA], tmp_path: Path) -> None:
    stub, _ = other
    done = _est("csrattrs", stub.url, "--cacert", str(tmp_path / "anchor.pem"))
    assert (done.stdout, done.stderr) == ("", "The server asks for nothing in particular.\n")


def test_a_pending_request_is_waited_for_only_when_told_so(
    other: tuple[Stub, pki.CA], here: Path, tmp_path: Path
) -> None:
    stub, ca = other
    later = Reply(202, headers={"Retry-After": "1"})
    answers = [later, later, issuing(ca)]

    def answer(heard: object) -> Reply:
        reply = answers.pop(0)
        return reply(heard) if callable(reply) else reply  # type: ignore[arg-type]  # what the stub hears

    stub.answers["simpleenroll"] = answer
    words = (stub.url, "--cacert", str(tmp_path / "anchor.pem"), "--common-name", "pump-1")
    done = _est("enroll", *words)
    assert done.returncode == 5
    told = f"localhost:{urlsplit(stub.url).port} has taken the request and decides later (202): Accepted."
    hint = "Let it ask with this key until it is decided: --wait SECONDS, more than 1."
    assert done.stderr == f"error: {told}\nhint: {hint}\n"
    done = _est("enroll", *words, "--wait", "5")
    assert done.returncode == 0
    assert done.stderr.startswith(f"{told} It is asked again in 1 s.\n")
    waited_for, issued = [heard.body for heard in stub.heard if heard.method == "POST"][-2:]
    assert waited_for == issued


def test_what_nothing_links_to_the_root_is_shown_but_not_kept(
    other: tuple[Stub, pki.CA], here: Path, tmp_path: Path
) -> None:
    stub, ca = other
    below, stranger = ca.intermediate("Issuing"), pki.authority("Stranger").intermediate("Below the stranger")
    stub.answers["cacerts"] = certs_only(stranger.certificate, below.certificate, ca.certificate)
    done = _est("cacerts", stub.url, "--cacert", str(tmp_path / "anchor.pem"), "--out", "ca.pem", "--json")
    assert [one["role"] for one in json.loads(done.stdout)] == ["root", "below the root", "not linked to the root"]
    kept = x509.load_pem_x509_certificates((here / "ca.pem").read_bytes())
    assert kept == [ca.certificate, below.certificate]


def test_a_sentence_of_the_server_cannot_steer_the_terminal(other: tuple[Stub, pki.CA], tmp_path: Path) -> None:
    stub, _ = other
    stub.answers["cacerts"] = Reply(403, b"\x1b]0;owned\x07No.", {"Content-Type": "text/plain"})
    done = _est("cacerts", stub.url, "--cacert", str(tmp_path / "anchor.pem"))
    assert "\x1b" not in done.stderr
    assert "\\x1b]0;owned\\x07No." in done.stderr
