"""Judgements before TLS: the URL, its name, and the way there."""

from collections.abc import Sequence

from nestor.doctor.address import Address
from nestor.doctor.names import address_of
from nestor.doctor.seen import Door, Lookup, Reached
from nestor.doctor.words import Topic, fine, listed, problem, quoted, warning
from nestor.finding import Finding

_WHAT = {
    Door.REFUSED: "refuses: the machine is there, and nobody listens on that port",
    Door.SILENT: "does not react: a firewall drops what is sent, or nobody has that address",
    Door.UNREACHABLE: "cannot be reached",
}
_DO = {
    Door.REFUSED: "Start the server; let it listen on more than loopback, and map the port of its container "
    "(Nestor: --hostname or --listen).",
    Door.SILENT: "Check the address and the firewalls between; the port is TCP.",
    Door.UNREACHABLE: "Check address, routes and network of this machine.",
}


def judge_url(address: Address) -> list[Finding]:
    """Whether the URL is one for a config.toml."""
    if not address.secure:
        return [
            problem(
                Topic.URL,
                f"{address.url} is plain HTTP: anybody between reads the password, or answers in the server's place.",
                "Serve EST over TLS, and write https:// (RFC 7030, 3.3).",
            )
        ]
    if address.completed:
        return [
            fine(
                Topic.URL,
                f"The URL has no path; {address.url} is asked.",
                "aziot-certd adds none: write the whole base into config.toml.",
            )
        ]
    return []


def judge_lookup(address: Address, lookup: Lookup) -> list[Finding]:
    """Whether the name stands for anything here."""
    if not lookup.places:
        return [
            problem(
                Topic.NAME,
                f"The name {address.host} cannot be resolved here: {quoted(lookup.words)}.",
                "Check the URL; add the name to DNS, or to /etc/hosts of every device.",
            )
        ]
    if address_of(address.host) is not None:
        return [fine(Topic.NAME, f"{address.host} is an address; there is no name to resolve.")]
    return [fine(Topic.NAME, f"{address.host} is {listed([place.host for place in lookup.places])}.")]


def judge_reach(reached: Sequence[Reached]) -> list[Finding]:
    """Whether each address can be connected to; one that cannot costs clients time, all of them everything."""
    some = any(one.door is Door.OPEN for one in reached)
    return [_judge_door(one, only=not some) for one in reached]


def _judge_door(one: Reached, *, only: bool) -> Finding:
    where = f"{one.place.host} port {one.place.port}"
    if one.door is Door.OPEN:
        return fine(Topic.TCP, f"{where} takes connections.")
    words = f" ({quoted(one.words)})" if one.words and one.door is Door.UNREACHABLE else ""
    sentence = f"{where} {_WHAT[one.door]}{words}."
    if only:
        return problem(Topic.TCP, sentence, _DO[one.door])
    return warning(
        Topic.TCP, sentence, "Clients try this address too: take it out of DNS, or let the server listen on it."
    )
