"""What a person needs next, told once at the start: where it listens, whom to trust, how to enroll, what to write."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256

from nestor.app.house import House
from nestor.app.known import base_url
from nestor.device.plan import Login, Plan
from nestor.device.writing import write_config

_TUTORIAL = """\
!! These are the settings of Microsoft's EST tutorial: the password is published, and it may enroll every name.
!! For tests only. Anybody who reaches this port can have any certificate.
"""

_ENROLL = """\
Enroll a device by hand:
  openssl ecparam -genkey -name prime256v1 -noout -out my-device.key
  openssl req -new -key my-device.key -subj /CN=my-device -outform DER | openssl base64 -out my-device.csr
  curl --cacert {ca_file} -u {user}:{password} -H 'Content-Type: application/pkcs10' --data-binary @my-device.csr \
{url}/simpleenroll | openssl base64 -d | openssl pkcs7 -inform DER -print_certs -out my-device.pem
"""

_CONFIG = """\
Blocks for /etc/aziot/config.toml of an IoT Edge device named my-device:
{blocks}
The lines that put them and the CA file in place:
  nestor device config my-device --tutorial --data {data}
"""

_NEXT = """\
Nobody may enroll yet. Let a device in:  nestor user add my-device --data {data}
Every setting with its default:          nestor config example
"""


def welcome(house: House, addresses: Sequence[tuple[str, int]], data: Path) -> str:
    """The lines that `nestor serve` starts with."""
    return "\n".join([_about(house, addresses, data), *_what_next(house, data)])


def tutorial_welcome(
    house: House, addresses: Sequence[tuple[str, int]], data: Path, credentials: tuple[str, str] | None
) -> str:
    """The lines that `nestor serve --tutorial` starts with; `credentials` are shown because they are published."""
    user, password = credentials or ("USER", "PASSWORD")
    url = url_of(house, addresses)
    ca_file = data / "ca" / "certificates.pem"
    enroll = _ENROLL.format(url=url, ca_file=ca_file, user=user, password=password)
    blocks = write_config(Plan("my-device", url, login=Login(user, password)))
    config = _CONFIG.format(blocks=textwrap.indent(blocks, "  "), data=data)
    return "\n".join([_TUTORIAL, _about(house, addresses, data), enroll, config])


def url_of(house: House, addresses: Sequence[tuple[str, int]]) -> str:
    """The base of the EST paths, by the first name of the server."""
    port = addresses[0][1] if addresses else house.settings.listener.port
    return base_url(next(iter(house.settings.listener.hostnames), "localhost"), port)


def _about(house: House, addresses: Sequence[tuple[str, int]], data: Path) -> str:
    listening = ", ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses)
    lines = [
        f"Nestor serves EST at   {url_of(house, addresses)}",
        f"listening on           {listening}",
        f"data directory         {data}",
    ]
    certificates = house.authority.ca_certificates()
    if certificates:
        digest = certificates[0].fingerprint(SHA256()).hex(":").upper()
        lines += [
            f"CA                     {certificates[0].subject.rfc4514_string()}",
            f"CA valid until         {certificates[0].not_valid_after_utc:%Y-%m-%d}",
            f"CA SHA-256             {digest}",
        ]
    lines += [f"NOT ISSUING ({about})   {sentence}" for about, sentence in house.problems().items()]
    return "\n".join([*lines, ""])


def _what_next(house: House, data: Path) -> list[str]:
    access = house.settings.access
    somebody = access.users or access.bootstrap or access.users_file.path(data).exists()
    return [] if somebody else [_NEXT.format(data=data)]
