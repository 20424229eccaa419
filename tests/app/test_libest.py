"""An estCA folder of libest becomes a data directory: what is taken over, what is left out, and what is told."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from nestor.app.authority import Source, existing_issuer
from nestor.app.clock import SystemClock
from nestor.app.imported import done, left_out, next_steps
from nestor.app.libest import ANCHORS, Imported, Wish, import_libest
from nestor.errors import MaterialError, SettingsError
from nestor.ledger.opening import open_ledger
from nestor.ledger.revocations import read_revocations
from nestor.model import Entry, Method
from nestor.settings import judge
from support.estca import EDGE, RSA, SERVER, EstCA, est_ca
from support.issuing import HandClock
from support.openssl import run
from support.shapes import device_identity, edge_ca, est_identity, request, rsa2048


@pytest.fixture
def libest(tmp_path: Path) -> EstCA:
    return est_ca(tmp_path / "libest")


def source(place: Path, document: dict[str, object] | None = None) -> Source:
    return Source(judge(document or {}), place / "data", SystemClock(), lambda _: None)


async def imported(libest: EstCA, place: Path, *, origin: Method = Method.PASSWORD) -> Imported:
    return await import_libest(Wish(libest.folder, source(place), libest.passphrase, origin))


async def entries(place: Path) -> list[Entry]:
    """Everything in the ledger, by serial number."""
    from nestor.ledger.listing import Selection

    where = source(place)
    ledger = open_ledger(where.settings.ledger, where.data, create=False, clock=where.clock)
    try:
        return sorted(await ledger.page(Selection()), key=lambda entry: entry.serial)
    finally:
        await ledger.close()


async def test_the_ca_and_all_that_it_issued_are_taken_over(libest: EstCA, tmp_path: Path) -> None:
    libest.issue(request("127.0.0.1"), extensions=SERVER)
    for asked, extensions in ((est_identity("gw-1"), ""), (device_identity("gw-1"), ""), (edge_ca("gw-1"), EDGE)):
        libest.issue(asked, extensions=extensions or "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n")
    revoked = libest.issue(est_identity("gw-2"))
    libest.revoke(revoked)
    outcome = await imported(libest, tmp_path)
    found = await entries(tmp_path)
    assert [(entry.serial, entry.device, entry.profile, entry.state.value) for entry in found] == [
        (1, "127.0.0.1", "server", "active"),
        (2, "gw-1", "estIdentity", "active"),
        (3, "gw-1", "deviceIdentity", "active"),
        (4, "gw-1", "edgeCa", "active"),
        (5, "gw-2", "estIdentity", "revoked"),
    ]
    assert {(entry.requester, entry.origin) for entry in found} == {("libest", Method.PASSWORD)}
    assert all(entry.adopted_at for entry in found)
    assert found[-1].revocation_reason == "keyCompromise"
    (line,) = read_revocations(tmp_path / "data" / "revocations.log")
    assert line.serial == 5
    issuer = existing_issuer(source(tmp_path))
    assert issuer.certificate == outcome.issuer.certificate
    assert done(outcome)["certificates"] == "1 deviceIdentity, 1 edgeCa, 2 estIdentity, 1 server"
    assert outcome.left_out == []
    assert (tmp_path / "data" / "ca" / "key.pem").stat().st_mode & 0o777 == 0o600


async def test_what_to_do_next_is_told(libest: EstCA, tmp_path: Path) -> None:
    libest.issue(edge_ca("gw-1"), extensions=EDGE)
    outcome = await imported(libest, tmp_path)
    steps = "\n".join(next_steps(outcome, tmp_path / "data", SystemClock().now()))
    assert "nestor user add estuser" in steps
    assert '[access] gateways = "gw-1"' in steps
    assert f'anchors = "file:{ANCHORS}"' in steps
    assert outcome.anchors == ["CN=estEXTERNALCA"]
    subject = run("x509", "-noout", "-subject", "-in", tmp_path / "data" / ANCHORS)
    assert b"estEXTERNALCA" in subject


async def test_what_is_left_out_is_told_with_its_reason(libest: EstCA, tmp_path: Path) -> None:
    libest.issue(est_identity("old"), digest="sha1")
    libest.issue(est_identity("gone"))
    libest.issue(est_identity("other"))
    libest.issue(request("sub-ca"), extensions="basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n")
    libest.issue(request("mail"), extensions="basicConstraints=CA:FALSE\nextendedKeyUsage=emailProtection\n")
    libest.issue(request("fine", ec.generate_private_key(ec.SECP256R1())))
    libest.issue(est_identity("forged"))
    stranger = est_ca(tmp_path / "stranger")
    for _ in range(7):
        stranger.issue(est_identity("forged"))
    (libest.folder / "newcerts" / "07.pem").write_bytes((stranger.folder / "newcerts" / "07.pem").read_bytes())
    (libest.folder / "newcerts" / "02.pem").unlink()
    (libest.folder / "newcerts" / "03.pem").write_bytes((libest.folder / "newcerts" / "06.pem").read_bytes())
    outcome = await imported(libest, tmp_path)
    assert [(serial, subject) for serial, subject, _ in left_out(outcome)] == [
        ("1", "/CN=old"),
        ("2", "/CN=gone"),
        ("3", "/CN=other"),
        ("4", "/CN=sub-ca"),
        ("5", "/CN=mail"),
        ("7", "/CN=forged"),
    ]
    whys = [why for _, _, why in left_out(outcome)]
    words = ("SHA1", "newcerts", "newcerts", "path length", "neither for clients", "not signed by this CA")
    assert [word in why for why, word in zip(whys, words, strict=True)] == [True] * len(words)
    assert [entry.device for entry in await entries(tmp_path)] == ["fine"]


async def test_an_expired_certificate_is_in_the_ledger_all_the_same(libest: EstCA, tmp_path: Path) -> None:
    libest.issue(est_identity("gw-1"), begun="25")
    libest.notice_expiry()
    assert (libest.folder / "index.txt").read_text().startswith("E\t")
    await imported(libest, tmp_path)
    assert [entry.device for entry in await entries(tmp_path)] == ["gw-1"]


async def test_of_several_of_a_device_the_newest_is_active(libest: EstCA, tmp_path: Path) -> None:
    for begun in ("", "25", ""):
        libest.issue(device_identity("gw-1", rsa2048()), begun=begun)
    await imported(libest, tmp_path)
    states = [entry.state.value for entry in await entries(tmp_path)]
    # Within a second both are as new; what had expired before is no matter.
    assert sorted(states) == ["active", "active", "superseded"]


@pytest.mark.parametrize("kind", [RSA, ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1")])
async def test_a_ca_of_another_key_is_taken_over(kind: tuple[str, ...], tmp_path: Path) -> None:
    libest = est_ca(tmp_path / "libest", kind)
    libest.issue(est_identity("gw-1"))
    await imported(libest, tmp_path)
    assert len(await entries(tmp_path)) == 1


async def test_a_key_with_a_passphrase_needs_it_and_gets_the_new_one(tmp_path: Path) -> None:
    libest = est_ca(tmp_path / "libest", passphrase="of libest")
    libest.issue(est_identity("gw-1"))
    with pytest.raises(MaterialError, match="encrypted"):
        await import_libest(Wish(libest.folder, source(tmp_path), None, Method.PASSWORD))
    assert not (tmp_path / "data").exists()
    (tmp_path / "secret").write_text("of nestor\n")
    protected = source(tmp_path, {"keys": {"passphrase": f"file:{tmp_path}/secret"}})
    await import_libest(Wish(libest.folder, protected, "of libest", Method.BOOTSTRAP))
    assert "ENCRYPTED" in (tmp_path / "data" / "ca" / "key.pem").read_text()
    assert existing_issuer(protected)
    assert {entry.origin for entry in await entries(tmp_path)} == {Method.BOOTSTRAP}


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        ({"kind": ("-newkey", "rsa:1024")}, "kind that does not sign"),
        ({"kind": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1")}, "kind that does not sign"),
        ({"digest": "sha1"}, "SHA1"),
    ],
)
async def test_a_ca_that_cannot_go_on_is_not_taken_over(wishes: dict[str, object], why: str, tmp_path: Path) -> None:
    libest = est_ca(tmp_path / "libest", **wishes)  # type: ignore[arg-type]  # as the cases say
    with pytest.raises(MaterialError, match=why):
        await imported(libest, tmp_path)
    assert not (tmp_path / "data").exists()


async def test_a_ca_that_has_ended_is_not_taken_over(tmp_path: Path) -> None:
    libest = est_ca(tmp_path / "libest", days=1)
    late = replace(source(tmp_path), clock=HandClock(SystemClock().now() + timedelta(days=2)))
    with pytest.raises(MaterialError, match="ended at"):
        await import_libest(Wish(libest.folder, late, None, Method.PASSWORD))
    assert not (tmp_path / "data").exists()


async def test_only_an_empty_directory_takes_a_ca(libest: EstCA, tmp_path: Path) -> None:
    await imported(libest, tmp_path)
    with pytest.raises(MaterialError, match="There is, or was, a CA"):
        await imported(libest, tmp_path)
    elsewhere = source(tmp_path / "x", {"ca": {"key": "file:key.pem"}})
    with pytest.raises(SettingsError, match="keeps the CA in the data directory"):
        await import_libest(Wish(libest.folder, elsewhere, None, Method.PASSWORD))


async def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match=r"cacert\.crt cannot be read"):
        await import_libest(Wish(tmp_path, source(tmp_path), None, Method.PASSWORD))
