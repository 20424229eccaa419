"""The story: a press comes to layer 1 and gets all that it needs; then a plug is pulled between layers 3 and 4.

Told twice, once by forwarding and once with a CA per layer. What it promises is asserted where it happens.
"""

import socket
import time
from functools import partial
from http import HTTPStatus
from itertools import pairwise

from cryptography import x509

from layers.device import CERTIFICATE, EDGE_CA, IDENTITY, Press, Timed, told
from layers.ground import BOTTOM, LAYERS, TOP, Ground, address, host
from layers.plant import Plant, plant
from layers.site import Site
from layers.styles import CUT, PORT, Style
from layers.transcript import Transcript

SOONEST, PATIENCE = 2.0, 5.0
"""Seconds within which it is told that the layer above is away, and within which it is well again after that."""

_MISSED = {Style.FORWARDING: ("upstream:", "reached=False"), Style.LAYER_CA: ("WARNING certificates from the parent",)}
_REGAINED = {Style.FORWARDING: ("upstream:", "reached=True"), Style.LAYER_CA: ("upstream identity",)}
"""What the layer that was cut off writes of it."""

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
    _try_to_pass_over(plant.ground, transcript)
    _enroll(plant, press, transcript)
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
    for below, above in pairwise(chain):
        below.verify_directly_issued_by(above)
    top = "" if layer == TOP else f", which comes from those of the layers above, up to the root of layer {TOP}"
    transcript.scene(f"All four are issued by the CA of layer {layer}{top}:")
    for certificate in chain:
        transcript.fact(told(certificate))


def _try_to_pass_over(ground: Ground, transcript: Transcript) -> None:
    transcript.scene("Each layer reaches its parent, and nobody else above:")
    for layer in LAYERS[:-1]:
        above = {other: ground.on(layer, partial(_reaches, other)) for other in range(layer + 1, TOP + 1)}
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
    transcript.scene(f"Somebody pulls the plug between layers {CUT} and {CUT + 1}.")
    site = plant.sites[CUT]
    said = len(site.log)
    plant.ground.cut(CUT)
    forwards = plant.style is Style.FORWARDING
    _knocks(press, range(8, 10), transcript, served=not forwards)
    transcript.fact(f"layer {CUT} writes in its log: {_wait_for_line(site, said, *_MISSED[plant.style])}")
    _knocks(press, range(10, 11), transcript, served=not forwards)
    authorities = press.authorities()
    _check(authorities.status == HTTPStatus.OK, "/cacerts is answered")
    transcript.fact(f"/cacerts is answered as ever: {_counted(len(authorities.certificates))}.")
    _look_up(plant, press, transcript)
    transcript.scene("The plug is put in again. Nobody does anything else.")
    said = len(site.log)
    plant.ground.mend(CUT)
    if forwards:
        _is_served_again(press, transcript)
    line = _wait_for_line(site, said, *_REGAINED[plant.style])
    transcript.fact(f"layer {CUT} writes in its log: {line}")


def _look_up(plant: Plant, press: Press, transcript: Transcript) -> None:
    """Ask the doctor, on layer 1, which hop it is. Where each layer issues by itself, nobody misses it yet."""
    transcript.scene("Which hop is it? The doctor walks up from layer 1, and says of the layers:")
    said = press.visit()
    for sentence in said:
        transcript.fact(sentence)
    gravity = "problem" if plant.style is Style.FORWARDING else "warning"
    hop = f"{gravity}: The hop from {host(CUT)}:{PORT} to {host(CUT + 1)}:{PORT} fails"
    _check(len(said) == CUT and said[-1].startswith(hop), f"the hop from layer {CUT} to {CUT + 1} is named")


def _knocks(press: Press, numbers: range, transcript: Transcript, *, served: bool) -> None:
    """Let some presses ask for certificates. Where they are not served, a sentence says so before long."""
    for number in numbers:
        knock = press.knock(number)
        _tell_answer(number, knock, transcript)
        if served:
            _check(knock.answer.status == HTTPStatus.OK, "it is issued")
            continue
        _check(knock.answer.status in _NOT_NOW, "it is refused for now")
        _check(f"layer{CUT + 1}" in knock.answer.text, f"a sentence names layer {CUT + 1}")
        _check(knock.seconds < SOONEST, f"it is told within {SOONEST:g} s")


def _is_served_again(press: Press, transcript: Transcript) -> None:
    begun = time.monotonic()
    while (knock := press.knock(8)).answer.status != HTTPStatus.OK:
        _check(time.monotonic() - begun < PATIENCE, f"it is well again within {PATIENCE:g} s: {knock.answer.text}")
        time.sleep(0.1)
    transcript.fact(f"press-8 asks until it is answered, {time.monotonic() - begun:.1f} s after that:")
    _tell_answer(8, knock, transcript)


def _wait_for_line(site: Site, said: int, *words: str) -> str:
    """The line that has all these words, of what a layer writes after so many characters; without time and cause."""

    def found() -> str | None:
        lines = site.log[said:].splitlines()
        return next((line for line in lines if all(word in line for word in words)), None)

    site.wait(lambda: found() is not None, f"does not write of {' '.join(words)}")
    return (found() or "").partition(" ")[2].partition(" cause=")[0].strip()


def _counted(certificates: int) -> str:
    return "one certificate" if certificates == 1 else f"{certificates} certificates"


def _tell_answer(number: int, knock: Timed, transcript: Transcript) -> None:
    answer = knock.answer
    if answer.status == HTTPStatus.OK:
        transcript.fact(f"press-{number}, after {knock.seconds:.2f} s: {told(answer.certificate)}")
        return
    transcript.fact(f"press-{number}, after {knock.seconds:.2f} s: {answer.status} {answer.text}")


def _check(holds: bool, promise: str) -> None:
    if not holds:
        raise Untrue(f"It was promised that {promise}.")
