"""The story: a press comes to layer 1 and gets all that it needs; then a plug is pulled between layers 3 and 4.

Told twice, once by forwarding and once with a CA per layer. What it promises is asserted where it happens.
"""

import socket
import time
from http import HTTPStatus

from cryptography import x509

from layers.device import CERTIFICATE, EDGE_CA, IDENTITY, Press, Timed, told
from layers.ground import BOTTOM, LAYERS, TOP, Ground, address
from layers.plant import Plant, plant
from layers.styles import PORT, Style
from layers.transcript import Transcript

SOONEST, PATIENCE = 2.0, 5.0
"""Seconds within which it is told that the layer above is away, and within which it is well again after that."""

_CUT = 3
"""The layer that loses its parent."""

_CHAPTERS = {
    Style.FORWARDING: "By forwarding: one CA at the top, and four layers that ask it",
    Style.LAYER_CA: "With a CA per layer: each has one from its parent, and issues by itself",
}


_NOT_NOW = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}


class Untrue(AssertionError):
    """The story did not go as it is told."""


def tell(ground: Ground, transcript: Transcript) -> None:
    """Tell it all. Raises Untrue."""
    for style in Style:
        transcript.chapter(_CHAPTERS[style])
        transcript.scene("From the top down, each layer is made known to its parent, and started.")
        with plant(style, ground, transcript) as built:
            _live(built, transcript)


def _live(plant: Plant, transcript: Transcript) -> None:
    press = Press(plant.ground, plant.sites[BOTTOM], transcript)
    _enroll(plant, press, transcript)
    _try_to_pass_over(plant.ground, transcript)
    _pull_the_plug(plant, press, transcript)


def _enroll(plant: Plant, press: Press, transcript: Transcript) -> None:
    transcript.scene(
        "A press comes to layer 1. It is told whom to trust, and a password; with that it gets an EST identity."
    )
    press.is_told(plant.anchors)
    identity = press.enroll(IDENTITY, "--est-identity")
    transcript.scene("With its EST identity it gets its device identity and its Edge CA.")
    issued = [identity, press.enroll(CERTIFICATE, by=IDENTITY), press.enroll(EDGE_CA, "--edge-ca", by=IDENTITY)]
    transcript.scene("It renews its EST identity: the same name, a new key.")
    issued.append(press.renew(IDENTITY))
    _check(issued[0].public_key() != issued[-1].public_key(), "the renewal has a new key")
    _check_issuers(plant, issued, transcript)


def _check_issuers(plant: Plant, issued: list[x509.Certificate], transcript: Transcript) -> None:
    """All come from the one CA that this style says: at the top, or on layer 1, each CA below that of its parent."""
    layer = TOP if plant.style is Style.FORWARDING else BOTTOM
    chain = x509.load_pem_x509_certificates((plant.sites[layer].data / "ca" / "certificates.pem").read_bytes())
    for certificate in issued:
        certificate.verify_directly_issued_by(chain[0])
    _check(len(chain) == TOP - layer + 1, f"there are {TOP - layer} CAs above that of layer {layer}")
    for below, above in zip(chain, chain[1:], strict=False):
        below.verify_directly_issued_by(above)
    transcript.scene(f"All four are by the CA of layer {layer}, and its root is that of layer {TOP}:")
    for certificate in chain:
        transcript.fact(told(certificate))


def _try_to_pass_over(ground: Ground, transcript: Transcript) -> None:
    transcript.scene("Each layer reaches its parent, and nobody else above:")
    for layer in LAYERS[:-1]:
        above = {other: ground.on(layer, lambda other=other: _reaches(other)) for other in range(layer + 1, TOP + 1)}
        _check(
            [other for other, reached in above.items() if reached] == [layer + 1], f"layer {layer} reaches its parent"
        )
        others = ", ".join(f"not {other}" for other in list(above)[1:])
        transcript.fact(f"layer {layer} reaches layer {layer + 1}{', ' * bool(others)}{others}")


def _reaches(layer: int) -> bool:
    try:
        socket.create_connection((address(layer), PORT), timeout=0.5).close()
    except OSError:
        return False
    return True


def _pull_the_plug(plant: Plant, press: Press, transcript: Transcript) -> None:
    transcript.scene(f"Somebody pulls the plug between layers {_CUT} and {_CUT + 1}.")
    plant.ground.cut(_CUT)
    cut = plant.sites[_CUT]
    said = len(cut.log)
    match plant.style:
        case Style.FORWARDING:
            _is_refused(press, transcript)
        case Style.LAYER_CA:
            _goes_on(press, transcript)
    authorities = press.authorities()
    _check(authorities.status == HTTPStatus.OK, "/cacerts is answered")
    transcript.fact(f"/cacerts is answered as ever, with {len(authorities.certificates)} certificate(s).")
    transcript.scene("The plug is put in again. Nobody does anything else.")
    plant.ground.mend(_CUT)
    match plant.style:
        case Style.FORWARDING:
            _is_served_again(press, transcript)
        case Style.LAYER_CA:
            _hears_its_parent_again(plant, said, transcript)


def _is_refused(press: Press, transcript: Transcript) -> None:
    """The first who comes finds out, those after hear it at once."""
    for number in (8, 9):
        knock = press.knock(number)
        _tell_answer(number, knock, transcript)
        _check(knock.answer.status in _NOT_NOW, "it is refused for now")
        _check(f"layer{_CUT + 1}" in knock.answer.text, f"a sentence names layer {_CUT + 1}")
        _check(knock.seconds < SOONEST, f"it is told within {SOONEST:g} s")


def _goes_on(press: Press, transcript: Transcript) -> None:
    for number in (8, 9):
        knock = press.knock(number)
        _tell_answer(number, knock, transcript)
        _check(knock.answer.status == HTTPStatus.OK, "it is issued")


def _is_served_again(press: Press, transcript: Transcript) -> None:
    begun = time.monotonic()
    while (knock := press.knock(8)).answer.status != HTTPStatus.OK:
        _check(time.monotonic() - begun < PATIENCE, f"it is well again within {PATIENCE:g} s: {knock.answer.text}")
        time.sleep(0.1)
    transcript.fact(f"press-8 asks again until it is answered, {time.monotonic() - begun:.1f} s after that:")
    _tell_answer(8, knock, transcript)


def _hears_its_parent_again(plant: Plant, said: int, transcript: Transcript) -> None:
    """Its own certificate is due all the time in this story, so the layer that was cut off renews it at once."""
    cut = plant.sites[_CUT]
    transcript.fact(f"layer {_CUT} could not renew its own certificate meanwhile. It does so now.")
    seconds = cut.wait(lambda: "upstream identity" in cut.log[said:], "did not renew its own certificate")
    transcript.fact(f"It has a new one {seconds:.1f} s after that.")


def _tell_answer(number: int, knock: Timed, transcript: Transcript) -> None:
    answer = knock.answer
    if answer.status == HTTPStatus.OK:
        transcript.fact(f"press-{number}, after {knock.seconds:.2f} s: {told(answer.certificate)}")
        return
    transcript.fact(f"press-{number}, after {knock.seconds:.2f} s: {answer.status}")
    for line in answer.text.strip().splitlines():
        transcript.fact(f"    {line}")


def _check(holds: bool, promise: str) -> None:
    if not holds:
        raise Untrue(f"It was promised that {promise}.")
