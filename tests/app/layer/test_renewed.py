"""The life of a layer whose CA is its parent's: renewed in time, two at a time, and what happens with nobody above.

A CA lives twelve days here, and days pass in seconds. Each test leaves its days behind.
"""

import http
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.upstream.lifetimes import renewal_time
from support.nested import (
    LAYER,
    Layers,
    certificates,
    enrolled_then,
    layers,
    own_identity,
    parent_document,
    wait_for_ca,
    wait_until_said,
)
from support.process import wait_for
from support.shapes import est_identity
from support.then import NoSession, ask
from support.turned import Turned

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("layer-years")]

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PROFILES = {
    "layerCa": {"lifetime": "12d", "jitter": "0%"},
    "estIdentity": {"lifetime": "4d", "jitter": "0%"},
}
BELOW = {"estIdentity": {"lifetime": "2d", "jitter": "0%"}}
SOON = 20.0


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Layers]:
    made = layers(tmp_path, parent_document(profiles=PROFILES), profiles=BELOW)
    try:
        made.child.start()
        wait_for_ca(made.child)
        yield made
    finally:
        made.child.stop()
        made.parent.stop()


def now(made: Layers) -> datetime:
    return made.child.clocks.now()


def shown(server: Turned) -> list[x509.Certificate]:
    """What /cacerts shows."""
    answer, _ = ask(server.here, "GET", "/.well-known/est/cacerts")
    return answer.certificates


def pass_by(made: Layers, days: float, *live: Callable[[], None]) -> None:
    """Let days pass one by one, and do what lives do in each."""
    for _ in range(int(days)):
        made.live_until(now(made) + DAY)
        for one in live:
            one()


def known_above(made: Layers) -> None:
    """Wait until the layer has renewed what its parent knows it by, where that is due: on a busy machine days fly."""
    wait_for(lambda: now(made) < renewal_time(own_identity(made.child)), SOON)


def next_ca(made: Layers, before: x509.Certificate) -> x509.Certificate:
    """Wait for another CA to issue."""
    wait_for(lambda: certificates(made.child)[0] != before, SOON)
    after = certificates(made.child)[0]
    wait_for(lambda: after in shown(made.child), SOON)
    return after


@pytest.mark.conformance("CL-17")
def test_a_ca_is_renewed_with_a_new_key_while_the_old_one_goes_on_counting(made: Layers) -> None:
    child = made.child
    first, identity = certificates(child)[0], own_identity(child)
    device = enrolled_then(child, est_identity("dev1"))
    pass_by(made, 7, lambda: known_above(made))
    assert certificates(child)[0] == first
    assert own_identity(child) != identity
    assert own_identity(child).public_key() != identity.public_key()
    via = f'by="certificate {LAYER}"'
    assert any("profile=estIdentity" in line and via in line for line in made.parent.log().splitlines())
    device = enrolled_then(child, est_identity("dev1"))
    pass_by(made, 1)
    second = next_ca(made, first)
    assert second.public_key() != first.public_key()
    assert second.subject == first.subject
    assert {first, second} <= set(shown(child))
    # What the old one issued renews itself under the new one, and devices that trust the root see no difference.
    renewed = enrolled_then(child, est_identity("dev1"), device)
    assert device.certificate.verify_directly_issued_by(first) is None
    assert renewed.certificate.verify_directly_issued_by(second) is None
    child.stop()
    child.start()
    assert {first, second} <= set(shown(child))
    assert enrolled_then(child, est_identity("dev1"), device).certificate.verify_directly_issued_by(second) is None
    assert len(list((child.data / "ca").glob("key*.pem"))) == 1
    # And once it has ended it is shown no more.
    pass_by(made, 5)
    assert now(made) > first.not_valid_after_utc
    wait_for(lambda: first not in shown(child), SOON)


def test_it_goes_on_issuing_with_nobody_above_and_says_early_what_will_come(made: Layers) -> None:
    child = made.child
    made.parent.stop()
    first = certificates(child)[0]
    device = enrolled_then(child, est_identity("dev1"))

    def renew() -> None:
        nonlocal device
        device = enrolled_then(child, est_identity("dev1"), device)

    pass_by(made, 7, renew)
    assert "less than a third of its life is left" not in child.log()
    pass_by(made, 2, renew)
    wait_until_said(child, "less than a third of its life is left", "has nobody listening")
    assert child.ready() == {}
    pass_by(made, 2, renew)
    wait_until_said(child, "less than a tenth of its life is left")
    made.live_until(first.not_valid_after_utc - HOUR)
    child.clocks.turn_to(first.not_valid_after_utc + HOUR)
    slow = replace(child.here, now=first.not_valid_after_utc - HOUR)  # nobody else believes what it shows
    wait_for(lambda: "ended at" in ask(slow, "GET", "/readyz")[0].text, SOON)
    assert first in ask(slow, "GET", "/.well-known/est/cacerts")[0].certificates
    # The parent is back, after a long time: it is asked by the password again, and all is well.
    made.parent.start()
    made.parent.command("ledger", "accept-clock")
    wait_for(lambda: certificates(child)[0] != first, SOON)
    wait_for(lambda: trusted(child), SOON)
    second = next_ca(made, first)
    assert enrolled_then(child, est_identity("dev3")).certificate.verify_directly_issued_by(second) is None


def trusted(server: Turned) -> bool:
    """Whether a device that trusts the root believes what it shows."""
    try:
        return ask(server.here, "GET", "/readyz")[0].status == http.HTTPStatus.OK
    except NoSession:
        return False


def test_a_layer_that_was_revoked_is_not_renewed_and_says_so(made: Layers) -> None:
    child, first = made.child, certificates(made.child)[0]
    pass_by(made, 2)
    made.parent.command("cert", "revoke", f"{own_identity(child).serial_number:x}")
    made.parent.command("user", "remove", LAYER)
    pass_by(made, 7)
    wait_until_said(child, "revoked")
    assert certificates(child)[0] == first
    assert enrolled_then(child, est_identity("dev1")).certificate.verify_directly_issued_by(first) is None


def test_another_parent_is_taken_on_an_operators_word_only(made: Layers, tmp_path: Path) -> None:
    child, first = made.child, certificates(made.child)[0]
    made.parent.stop()
    other = layers(tmp_path / "other", parent_document(profiles=PROFILES))
    other.parent.stop()
    # Another parent stands under the same name, and even its TLS is believed.
    for name in ("ca", "ledger.db", "ca-made"):
        path = made.parent.data / name
        path.rename(path.with_name(f"former-{name}"))
        (other.parent.data / name).rename(path)
    root = certificates(made.parent)[-1]
    with (child.data / "parent.pem").open("ab") as anchors:
        anchors.write(root.public_bytes(Encoding.PEM))
    made.parent.start()
    pass_by(made, 9)
    wait_until_said(child, "issues under another root", "upstream.root")
    assert certificates(child)[0] == first
    fingerprint = root.fingerprint(SHA256()).hex()
    text = child.config.read_text("utf-8").replace('"identity":', f'"root": "{fingerprint}", "identity":')
    child.config.write_text(text, "utf-8")
    wait_for(lambda: certificates(child)[0] != first, SOON)
    assert certificates(child)[-1] == root
