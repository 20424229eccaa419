"""`nestor cert issue`: one certificate or many, keys for their owner only, refusals in sentences and exit codes."""

import json
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from support import openssl, shapes
from support.factories import certificate_in, founded, put_list, put_request, put_requests, read_list
from support.shapes import spki_of
from support.shell import nestor

OK, USAGE, SETTINGS, MATERIAL, REFUSED = 0, 2, 3, 4, 5


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return founded(tmp_path_factory.mktemp("factory") / "data").data


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def issue(data: Path, out: Path, *words: str | Path, **process: object) -> subprocess.CompletedProcess[str]:
    where = ("--out", str(out), "--data", str(data))
    return nestor("cert", "issue", *map(str, words), *where, **process)  # type: ignore[arg-type]


def test_one_certificate_with_a_key_made_here(data: Path, out: Path) -> None:
    done = issue(data, out, "one-1", "--json")
    assert done.returncode == OK
    shown = json.loads(done.stdout)
    certificate = certificate_in(out / "one-1.pem")
    assert shown["serial"] == f"{certificate.serial_number:x}"
    assert (shown["certificate"], shown["key"]) == (str(out / "one-1.pem"), str(out / "one-1.key"))
    assert (shown["profile"], shown["status"]) == ("bootstrap", "issued")
    key = load_pem_private_key((out / "one-1.key").read_bytes(), None)
    assert certificate.public_key() == key.public_key()
    assert stat.S_IMODE((out / "one-1.key").stat().st_mode) == 0o600
    listed = json.loads(nestor("cert", "list", "--device", "one-1", "--json", "--data", str(data)).stdout)
    assert [entry["serial"] for entry in listed] == [shown["serial"]]


def test_one_certificate_from_a_request_leaves_the_key_where_it_is(data: Path, out: Path, tmp_path: Path) -> None:
    asked = put_request(tmp_path / "pump.csr", shapes.request("one-2"))
    done = issue(data, out, "one-2", "--csr", asked)
    assert done.returncode == OK
    assert [place.name for place in out.iterdir()] == ["one-2.pem"]
    again = issue(data, out, "one-2", "--csr", asked, "--json")
    assert json.loads(again.stdout)["status"] == "issued before"


def test_one_file_may_be_named_and_have_its_chain(data: Path, tmp_path: Path) -> None:
    place = tmp_path / "boot.pem"
    assert issue(data, place, "one-3", "--chain", "--lifetime", "90d").returncode == OK
    leaf, root = x509.load_pem_x509_certificates(place.read_bytes())
    leaf.verify_directly_issued_by(root)
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 90
    assert (tmp_path / "boot.key").exists()


def test_alternative_names_and_other_profiles(data: Path, out: Path) -> None:
    words = ("--profile", "server", "--alternative-name", "host-1.example", "--alternative-name", "10.0.0.9")
    assert issue(data, out, "host-1", *words).returncode == OK
    names = certificate_in(out / "host-1.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["host-1.example", "10.0.0.9"]


def test_an_encrypted_key_opens_with_openssl_and_its_passphrase_only(data: Path, out: Path) -> None:
    secret = {"NESTOR_TEST_PASS": "correct horse"}
    done = issue(data, out, "one-4", "--key-passphrase", "env:NESTOR_TEST_PASS", environment=secret)
    assert done.returncode == OK
    assert "correct" not in done.stdout + done.stderr
    key = out / "one-4.key"
    assert key.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    public = openssl.run("pkey", "-in", key, "-passin", "pass:correct horse", "-pubout", "-outform", "DER")
    assert public == spki_of(certificate_in(out / "one-4.pem"))
    with pytest.raises(subprocess.CalledProcessError):
        openssl.run("pkey", "-in", key, "-passin", "pass:battery staple", "-pubout")
    again = issue(data, out, "one-4", "--key-passphrase", "env:NESTOR_TEST_PASS", "--json", environment=secret)
    assert json.loads(again.stdout)["status"] == "issued before"


def test_what_refuses_one_is_the_error_of_the_command(data: Path, out: Path, tmp_path: Path) -> None:
    asked = put_request(tmp_path / "other.csr", shapes.request("somebody-else"))
    done = issue(data, out, "one-5", "--csr", asked)
    assert done.returncode == REFUSED
    assert done.stderr.startswith("error: The request is for somebody-else, not for one-5.\nhint: ")
    assert list(out.iterdir()) == []


def test_a_list_mixes_requests_keys_and_profiles(data: Path, out: Path, tmp_path: Path) -> None:
    put_request(tmp_path / "csrs" / "a.der", shapes.request("list-1"), der=True)
    heading = ("name", "csr", "profile", "alternativeNames")
    rows = [
        ("list-1", "csrs/a.der", "", ""),
        ("list-2", "", "", ""),
        ("list-3", "", "server", "list-3.example, 10.0.0.3"),
    ]
    done = issue(data, out, "--from", put_list(tmp_path / "list.csv", heading, *rows))
    assert done.returncode == OK
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "3 issued, 0 issued before, 0 refused."
    manifest = read_list(out / "manifest.csv")
    assert [(row["name"], row["file"], row["status"]) for row in manifest] == [
        (name, f"{name}.pem", "issued") for name in ("list-1", "list-2", "list-3")
    ]
    for row in manifest:
        certificate = certificate_in(out / row["file"])
        assert row["serial"] == f"{certificate.serial_number:x}"
        for digest in ("sha256", "sha1"):
            printed = openssl.run("x509", "-in", out / row["file"], "-noout", "-fingerprint", f"-{digest}").decode()
            assert printed.strip().rpartition("=")[2].replace(":", "").lower() == row[digest]
        assert row["notAfter"] == f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    assert sorted(place.name for place in out.glob("*.key")) == ["list-2.key", "list-3.key"]


def test_every_kind_of_bad_row_is_refused_by_its_line_and_the_good_ones_are_issued(
    data: Path, out: Path, tmp_path: Path
) -> None:
    put_request(tmp_path / "stranger.csr", shapes.request("stranger"))
    put_request(tmp_path / "ca.csr", shapes.edge_ca("bad-8"))
    historian = shapes.request("bad-9", None, [shapes.dns_names("historian.example")])
    put_request(tmp_path / "historian.csr", historian)
    put_request(tmp_path / "weak.csr", shapes.request("bad-10", shapes.rsa2048()))
    (tmp_path / "text.csr").write_text("no request")
    rows = [
        ("good-1", "", "", ""),
        ("", "stranger.csr", "", ""),
        ("bad-3", "missing.csr", "", ""),
        ("bad-4", "text.csr", "", ""),
        ("bad-5", "stranger.csr", "", ""),
        ("bad-6", "", "bootstrp", ""),
        ("bad-7", "", "", "pümpe.example"),
        ("bad-8", "ca.csr", "", ""),
        ("bad-9", "historian.csr", "", ""),
        ("bad/11", "", "", ""),
        ("GOOD-1", "", "", ""),
        ("aziot-edge CA aziot-edge CA x", "", "", ""),
        ("bad*14", "", "", ""),
        ("bad-15",),
        ("good-2", "", "", "", ""),
        ("good-3", "weak.csr", "", ""),
        ("good-4", "", "", ""),
    ]
    done = issue(
        data, out, "--from", put_list(tmp_path / "l.csv", ("name", "csr", "profile", "alternativeNames"), *rows)
    )
    assert done.returncode == REFUSED
    assert "2 issued, 0 issued before, 15 refused." in done.stderr
    refused = read_list(out / "refused.csv")
    told = {
        3: "It has no name",
        4: "cannot be read",
        5: "no certification request",
        6: "is for stranger, not for bad-5",
        7: "no profile bootstrp",
        8: "no alternative name",
        9: "asks for a CA certificate",
        10: "historian.example, which is not written beside it",
        11: "cannot be the name of a file",
        12: "stands in line 2 already",
        13: "is for aziot-edge CA x, not for aziot-edge CA aziot-edge CA x",
        14: "may not hold a wildcard",
        15: "has 4 columns, this row 1",
        16: "has 4 columns, this row 5",
        17: "is for bad-10, not for good-3",
    }
    assert [row["where"] for row in refused] == [f"line {line}" for line in told]
    for row, sentence in zip(refused, told.values(), strict=True):
        assert sentence in row["sentence"]
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [row["where"] for row in refused]
    assert sorted(place.name for place in out.iterdir()) == [
        "good-1.key",
        "good-1.pem",
        "good-4.key",
        "good-4.pem",
        "manifest.csv",
        "refused.csv",
    ]
    assert len(read_list(out / "manifest.csv")) == len(rows)


def test_a_directory_of_requests_is_told_as_json_in_a_pipe(data: Path, out: Path, tmp_path: Path) -> None:
    put_requests(tmp_path / "csrs", [f"dir-{number}" for number in range(120)])
    (tmp_path / "csrs" / "notes.txt").write_text("")
    (tmp_path / "csrs" / "._dir-0.csr").write_text("")
    done = issue(data, out, "--csrs", tmp_path / "csrs", "--json")
    assert json.loads(done.stdout) == {
        "counts": {"issued": 120, "issued before": 0, "refused": 0},
        "files": {"manifest": str(out / "manifest.csv")},
    }
    assert done.stderr.splitlines()[-1] == "Certificates: 120 of 120"
    assert len(list(out.glob("*.pem"))) == 120


def test_words_that_do_not_go_together_are_misuse(data: Path, out: Path) -> None:
    assert issue(data, out, "a", "--csrs", ".").returncode == USAGE
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("a", "--profile", "bootstrp"), SETTINGS, "There is no profile bootstrp."),
        (("a", "--lifetime", "90"), USAGE, "--lifetime"),
        (("a", "--lifetime", "1s"), SETTINGS, "at least 1min"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_made(
    data: Path, out: Path, words: tuple[str, ...], code: int, why: str
) -> None:
    done = issue(data, out, *words)
    assert done.returncode == code
    assert why in done.stderr
    assert not out.exists()


def test_where_nothing_can_be_issued_the_sentence_says_why(tmp_path: Path, out: Path) -> None:
    done = issue(tmp_path, out, "a")
    assert (done.returncode, done.stderr.splitlines()[1]) == (MATERIAL, "hint: Make one: nestor ca init.")
