"""The layers below that may have a CA of their own, and which names each of them may not issue for. Pure.

A layer may serve under its own names and no other Nestor's. Name constraints say so to every client; they bind what
is a DNS name or an address, and nothing that is in the subject alone.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography import x509

from nestor.ca.own_names import OwnNames
from nestor.naming import fold


@dataclass(frozen=True, slots=True)
class Layers:
    """The names under which each layer is reached, by the folded name of the layer."""

    names: Mapping[str, OwnNames] = field(default_factory=dict)

    def excluded(self, layer: str, own: OwnNames) -> Sequence[x509.GeneralName]:
        """What the CA of a layer is forbidden, as name constraints write it: this server's names, and other layers'.

        One that would forbid the layer its own name, as `plant.example` does `gw2.plant.example`, is left out.
        """
        mine = self.names.get(layer, OwnNames()).subtrees()
        found = dict.fromkeys(self._others(layer, own))
        return [name for name in found if not any(_covers(name, one) for one in mine)]

    def _others(self, layer: str, own: OwnNames) -> Iterator[x509.GeneralName]:
        yield from own.subtrees()
        for name in sorted(self.names):
            if name != fold(layer):
                yield from self.names[name].subtrees()


NO_LAYERS = Layers()
"""There is none below."""


def forbids(chain: Iterable[x509.Certificate], names: OwnNames) -> Sequence[str]:
    """The names among these that a chain of CAs may not issue for."""
    trees = [tree for certificate in chain for tree in _excluded_by(certificate)]
    subtrees = names.subtrees()
    return list(dict.fromkeys(str(name.value) for name in subtrees if any(_covers(tree, name) for tree in trees)))


def _excluded_by(certificate: x509.Certificate) -> Sequence[x509.GeneralName]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return ()
    return found.excluded_subtrees or ()


def _covers(excluded: x509.GeneralName, name: x509.GeneralName) -> bool:
    """Whether a name lies within a subtree (RFC 5280, 4.2.1.10)."""
    match excluded, name:
        case x509.DNSName(value=tree), x509.DNSName(value=text):
            return text == tree or text.endswith(f".{tree}")
        case x509.IPAddress(value=tree), x509.IPAddress(value=one):
            networks = ipaddress.IPv4Network | ipaddress.IPv6Network
            return isinstance(tree, networks) and tree == one
        case _:
            return False
