"""What a person needs next, told once at the start: where it listens, whom to trust, how to enroll, what to write.

Where the log is for machines, they are told the same as events: no line of it is anything else.
"""

import shlex
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256

from nestor.app.house import House
from nestor.app.known import base_url
from nestor.device.plan import Login, Plan
from nestor.device.writing import write_config
from nestor.events import Event, Listening, Note, Trouble

_PUBLISHED = """\
!! These are the settings of Microsoft's EST tutorial: the password is published, and it may enroll every name.
!! For tests only. Anybody who reaches this port can have any certificate.
"""

_TUTORIAL = """\
!! These are the settings of Microsoft's EST tutorial, with users of your own. For tests only.
"""

_ENROLL = """\
Enroll a device by hand:
  openssl ecparam -genkey -name prime256v1 -noout -out my-device.key
  openssl req -new -key my-device.key -subj /CN=my-device -outform DER | openssl base64 -out my-device.csr
  curl --cacert {ca_file} -u {user}:{password} -H 'Content-Type: application/pkcs10' --data-binary @my-device.csr \
{url}/simpleenroll | openssl base64 -d | openssl pkcs7 -inform DER -print_certs -out my-device.pem
"""

_TRUST = """\
Let an IoT Edge device trust this server; a service named aziotcs reads the file:
  sudo install -D -o aziotcs -g aziotcs -m 0644 {ca_file} /var/aziot/certs/nestor-ca.pem
"""

_CONFIG = """\
Blocks for /etc/aziot/config.toml of an IoT Edge device named my-device:
{blocks}
The lines that put them and the CA file in place:
  nestor device config my-device --tutorial --data {data}
"""

_NOBODY = "Nobody may enroll yet."
_NEXT = """\
{nobody} Let a device in:  nestor user add my-device --data {data}
Every setting with its default:          nestor config example
"""


def welcome(house: House, addresses: Sequence[tuple[str, int]], data: Path) -> str:
    """The lines that `nestor serve` starts with."""
    return "\n".join([_about(house, addresses, data), *_what_next(house, data)])


def tutorial_welcome(
    house: House, addresses: Sequence[tuple[str, int]], data: Path, credentials: tuple[str, str] | None
) -> str:
    """The lines that `nestor serve --tutorial` starts with; `credentials` are the published ones, where they count."""
    user, password = credentials or ("USER", "PASSWORD")
    url = url_of(house, addresses)
    filled = {
        "url": url,
        "ca_file": shlex.quote(str(data / "ca" / "certificates.pem")),
        "user": user,
        "password": password,
        "data": shlex.quote(str(data)),
        "blocks": textwrap.indent(write_config(Plan("my-device", url, login=Login(user, password))), "  "),
    }
    warning = _PUBLISHED if credentials else _TUTORIAL
    parts = (part.format(**filled) for part in (_ENROLL, _TRUST, _CONFIG))
    return "\n".join([warning, _about(house, addresses, data), *parts])


def as_events(house: House, addresses: Sequence[tuple[str, int]], data: Path, *, tutorial: bool) -> Iterator[Event]:
    """The same for machines: where it listens and whom to trust, and what keeps devices out."""
    certificates = house.authority.chain()
    authority = certificates[0].fingerprint(SHA256()).hex() if certificates else ""
    yield Listening(url_of(house, addresses), written(addresses), authority)
    if tutorial:
        yield Trouble("tutorial", "These are the settings of Microsoft's EST tutorial. For tests only.")
    for about, sentence in house.problems().items():
        yield Trouble(about, sentence, passing=house.waits)
    if not house.waits and not _knows_somebody(house, data):
        yield Note("users", _NOBODY)


def url_of(house: House, addresses: Sequence[tuple[str, int]]) -> str:
    """The base of the EST paths, by the first name of the server."""
    port = addresses[0][1] if addresses else house.settings.listener.port
    return base_url(next(iter(house.settings.listener.hostnames), "localhost"), port)


def _about(house: House, addresses: Sequence[tuple[str, int]], data: Path) -> str:
    lines = [
        f"Nestor serves EST at   {url_of(house, addresses)}",
        f"listening on           {', '.join(written(addresses))}",
        f"data directory         {data}",
    ]
    certificates = house.authority.chain()
    if certificates:
        digest = certificates[0].fingerprint(SHA256()).hex(":").upper()
        lines += [
            f"CA                     {certificates[0].subject.rfc4514_string()}",
            f"CA valid until         {certificates[0].not_valid_after_utc:%Y-%m-%d}",
            f"CA SHA-256             {digest}",
        ]
    lines += [f"NOT ISSUING ({about})   {sentence}" for about, sentence in house.problems().items()]
    return "\n".join([*lines, ""])


def written(addresses: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Addresses with their ports, as a person writes them."""
    return tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses)


def _what_next(house: House, data: Path) -> list[str]:
    return [] if _knows_somebody(house, data) else [_NEXT.format(nobody=_NOBODY, data=data)]


def _knows_somebody(house: House, data: Path) -> bool:
    access = house.settings.access
    return bool(access.users or access.bootstrap or access.users_file.path(data).exists())
