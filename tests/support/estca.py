"""A libest server's estCA folder, made by openssl as its createCA.sh makes it, and the certificates that it issues."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.device import Identity
from support.openssl import run, tool
from support.shapes import Request

CLIENT = "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
"""The extensions that libest's own configuration gives to every client: no purposes, nothing of the request's."""

EDGE = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,digitalSignature,keyCertSign\n"
"""Those that Microsoft's tutorial puts in their place for Edge CAs."""

_IDENTIFIERS = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
_CONFIGURATION = """\
[ca]
default_ca = CA_default
[CA_default]
dir = ./estCA
database = $dir/index.txt
new_certs_dir = $dir/newcerts
certificate = $dir/cacert.crt
serial = $dir/serial
private_key = $dir/private/cakey.pem
default_days = 30
default_md = {digest}
policy = policy_any
email_in_dn = no
copy_extensions = none
x509_extensions = client_cert
unique_subject = no
[policy_any]
commonName = supplied
serialNumber = optional
[client_cert]
{extensions}
[v3_ca]
basicConstraints = CA:TRUE
subjectKeyIdentifier = hash
[req]
default_bits = 2048
distinguished_name = names
[names]
"""
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
RSA = ("-newkey", "rsa:2048")
SERVER = (
    "basicConstraints=CA:FALSE\nkeyUsage=nonRepudiation,digitalSignature,keyEncipherment\n"
    "subjectAltName=DNS:localhost,IP:127.0.0.1\n"
)
"""Those of its ext.cnf, for its own server."""


@dataclass(frozen=True)
class EstCA:
    """The folder in which createCA.sh runs; `estCA` is below it."""

    place: Path
    passphrase: str | None = None

    @property
    def folder(self) -> Path:
        return self.place / "estCA"

    def issue(self, request: Request, *, extensions: str = CLIENT, digest: str = "sha256", begun: str = "") -> Identity:
        """What libest makes of a request, whatever it asks for; `begun` is a year of which it lived January."""
        self._configure(extensions, digest)
        asked, issued = self.place / "asked.pem", self.place / "issued.pem"
        asked.write_bytes(x509.load_der_x509_csr(request.der).public_bytes(Encoding.PEM))
        dates = ("-startdate", f"{begun}0101000000Z", "-enddate", f"{begun}0201000000Z") if begun else ()
        self._ca("-in", asked, "-out", issued, *dates)
        return Identity(x509.load_pem_x509_certificate(issued.read_bytes()), request.key)

    def revoke(self, identity: Identity, reason: str = "keyCompromise") -> None:
        place = self.place / "revoked.pem"
        place.write_bytes(identity.certificate.public_bytes(Encoding.PEM))
        self._ca("-revoke", place, "-crl_reason", reason)

    def notice_expiry(self) -> None:
        """Mark what has expired."""
        self._ca("-updatedb")

    def _configure(self, extensions: str, digest: str = "sha256") -> None:
        text = _CONFIGURATION.format(extensions=extensions + _IDENTIFIERS, digest=digest)
        (self.place / "estExampleCA.cnf").write_text(text)

    def _ca(self, *words: str | Path) -> None:
        secret = ("-passin", f"pass:{self.passphrase}") if self.passphrase else ()
        command = (tool("openssl"), "ca", "-batch", "-config", "estExampleCA.cnf", *secret, *map(str, words))
        subprocess.run(command, cwd=self.place, check=True, capture_output=True, timeout=20)


def est_ca(
    place: Path, kind: Sequence[str] = EC, *, days: int = 7300, digest: str = "sha256", passphrase: str | None = None
) -> EstCA:
    """Make one: two CAs of their own, a server certificate, the files in which libest keeps whom it trusts."""
    place.mkdir(parents=True, exist_ok=True)
    made = EstCA(place, passphrase)
    made._configure(CLIENT)
    for name, subject in (("extCA", "/CN=estEXTERNALCA"), ("estCA", "/CN=estExampleCA")):
        folder = place / name
        for part in (folder, folder / "private", folder / "newcerts"):
            part.mkdir(parents=True)
        (folder / "serial").write_text("01\n")
        (folder / "index.txt").touch()
        hidden = ("-passout", f"pass:{passphrase}") if passphrase and name == "estCA" else ("-nodes",)
        key, certificate = folder / "private" / "cakey.pem", folder / "cacert.crt"
        words = ("-keyout", key, "-out", certificate, "-days", str(days), "-subj", subject, *hidden)
        config = ("-config", place / "estExampleCA.cnf", "-extensions", "v3_ca")
        run("req", "-new", "-x509", f"-{digest}", *kind, *words, *config)
    own, other = ((place / name / "cacert.crt").read_bytes() for name in ("estCA", "extCA"))
    (place / "trustedcerts.crt").write_bytes(own + other)
    (made.folder / "multicacerts.crt").write_bytes(other + own)
    (made.folder / "estpwdfile").write_text("estuser:estrealm:36807fa200741bb0e8fb04fcf08e2de6\n")
    return made
