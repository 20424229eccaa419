"""The reception: which desk serves which EST path. Each label has its own; they may be of different authorities."""

from collections.abc import Mapping, Sequence

from cryptography import x509

from nestor.errors import UnknownPath
from nestor.registrar.desk import Ask, Registrar
from nestor.registrar.keygen import GeneratedKey
from nestor.registrar.settings import DEFAULT

_BY_URL = "Ask its operator which URL this device is to use."
_BY_MAP = "The operator of the server that asked there looks at its upstream.labels."


class Reception:
    """Sends everybody to the desk of their path, by the name of its label."""

    def __init__(self, desks: Mapping[str, Registrar]) -> None:
        self._desks = desks

    def ca_certificates(self, label: str | None) -> Sequence[x509.Certificate]:
        """The CA certificates of a path (RFC 7030, 4.1). Raises UnknownPath."""
        return self._desk(label).ca_certificates(label)

    def csr_attributes(self, label: str | None) -> bytes:
        """What requests on a path should hold, as the DER of CsrAttrs (RFC 7030, 4.5). Raises UnknownPath."""
        return self._desk(label).csr_attributes(label)

    async def enroll(self, ask: Ask) -> x509.Certificate:
        """Issue a certificate for the key in the request, or the one that this very request just got."""
        return await self._desk(ask.label, conveyed=ask.credentials.conveyed is not None).enroll(ask)

    async def generate(self, ask: Ask) -> GeneratedKey:
        """Generate a key and its certificate; never the same twice (RFC 7030, 4.4)."""
        return await self._desk(ask.label, conveyed=ask.credentials.conveyed is not None).generate(ask)

    def _desk(self, label: str | None, *, conveyed: bool = False) -> Registrar:
        desk = None if label == DEFAULT else self._desks.get(label or DEFAULT)
        if desk is None:
            name = "without a label" if label is None else f"of the label {label}"
            raise UnknownPath(f"This server has no EST path {name}.", _BY_MAP if conveyed else _BY_URL)
        return desk
