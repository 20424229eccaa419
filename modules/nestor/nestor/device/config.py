"""A config.toml as the runtime's services understand it: who the device is, which certificates it gets, how. Pure.

Views of the file, made when asked for; the names of keys are those of aziotctl's super-config, the ids of certificates
those under which aziot-certd knows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nestor.device.auth import Auth
from nestor.device.part import Part

DEVICE_ID = "device-id"
EST_ID = "est-id"
EDGE_CA_ID = "aziot-edged-ca"
TEMPORARY = "-temp"
"""What the id of a certificate ends with while it is renewed."""

DEFAULT_URL = "default"
_LONGEST_COMMON_NAME = 64


@dataclass(frozen=True, slots=True)
class Issuance:
    """A certificate that the device has issued to it; `name` is what sentences call it."""

    id: str
    name: str
    part: Part

    @property
    def from_est(self) -> bool:
        """Whether it comes from an EST server."""
        return self.part.text("method") == "est"

    @property
    def subject(self) -> Mapping[str, str]:
        """The attributes that the file gives its subject: `common_name`, or the table `subject`."""
        common_name = self.part.text("common_name")
        if common_name is not None:
            return {"CN": common_name}
        return {kind: value for kind, value in self.part.below("subject").table.items() if isinstance(value, str)}

    @property
    def common_name(self) -> str | None:
        """The common name that the file gives it."""
        return next((value for kind, value in self.subject.items() if kind.casefold() == "cn"), None)

    @property
    def auth(self) -> Auth:
        """Its own authentication; unusable where it has none."""
        return Auth(self.part)


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """The whole file."""

    file: Part

    @property
    def hostname(self) -> str | None:
        """The name under which others reach the device."""
        return self.file.text("hostname")

    @property
    def parent_hostname(self) -> str | None:
        """The device of the layer above."""
        return self.file.text("parent_hostname") or self.file.text("local_gateway_hostname")

    @property
    def provisioning(self) -> Part:
        """How the device becomes known to IoT Hub."""
        return self.file.below("provisioning")

    @property
    def uses_dps(self) -> bool:
        """Whether DPS provisions the device."""
        return self.provisioning.text("source") == "dps"

    @property
    def proof(self) -> Part:
        """How the device proves itself to DPS or IoT Hub."""
        return self.provisioning.below("attestation" if self.uses_dps else "authentication")

    @property
    def device(self) -> str | None:
        """The id of the device, as far as the file tells it."""
        if self.uses_dps:
            return self.proof.text("registration_id")
        return self.provisioning.text("device_id") or self._device_of_connection_string()

    @property
    def identity(self) -> Issuance | None:
        """The device identity, where it is issued."""
        part = self.proof.part("identity_cert")
        return Issuance(DEVICE_ID, "device identity", part) if part else None

    @property
    def edge_ca(self) -> Issuance | None:
        """The Edge CA, where it is issued."""
        part = self.file.part("edge_ca")
        return Issuance(EDGE_CA_ID, "Edge CA", part) if part and "method" in part else None

    @property
    def est(self) -> Part:
        """What holds for all certificates from an EST server."""
        return self.file.below("cert_issuance", "est")

    @property
    def est_auth(self) -> Auth:
        """The authentication of all that have none of their own."""
        return Auth(self.est.below("auth"))

    @property
    def enrolled(self) -> tuple[Issuance, ...]:
        """The certificates that come from an EST server, in the order in which the device asks for them."""
        return tuple(one for one in (self.identity, self.edge_ca) if one and one.from_est)

    @property
    def auths(self) -> tuple[Auth, ...]:
        """Every place of the file that can say how to authenticate to an EST server."""
        return (self.est_auth, *(one.auth for one in self.enrolled))

    @property
    def has_est_identity(self) -> bool:
        """Whether a bootstrap certificate gets the device an EST identity, which renews."""
        return any(self.auth_of(one).bootstrap for one in self.enrolled)

    def auth_of(self, issuance: Issuance) -> Auth:
        """How its request is authenticated."""
        return issuance.auth if issuance.auth.is_usable else self.est_auth

    def url_of(self, issuance: Issuance, *, renewal: bool = False) -> tuple[str, str] | None:
        """Where the file names the URL that it is asked from, and the URL; a renewal goes by another id."""
        own = issuance.part.text("url")
        if own is not None:
            return issuance.part.path("url"), own
        return self.listed_url(issuance.id + TEMPORARY if renewal else issuance.id)

    def listed_url(self, certificate_id: str) -> tuple[str, str] | None:
        """The URL that the list gives an id, or every id that it does not name."""
        urls = self.est.below("urls")
        for key in (certificate_id, DEFAULT_URL):
            if (url := urls.text(key)) is not None:
                return urls.path(key), url
        return None

    def subject_of(self, issuance: Issuance) -> Mapping[str, str] | None:
        """The subject of its request; None where nothing says whom it is for.

        The common name of a device identity is the id of the device, whatever the file says; an Edge CA is named for
        the device unless the file names it. Both are cut after 64 characters.
        """
        given = dict(issuance.subject)
        name = issuance.common_name
        if issuance.id == DEVICE_ID:
            name = self.device or name
        elif name is None and not given and self.device is not None:
            name = f"aziot-edge CA {self.device}"
        if name is None:
            return given or None
        rest = {kind: value for kind, value in given.items() if kind.casefold() != "cn"}
        return {**rest, "CN": name[:_LONGEST_COMMON_NAME]}

    def _device_of_connection_string(self) -> str | None:
        parts = (self.provisioning.text("connection_string") or "").split(";")
        return next((part.partition("=")[2] for part in parts if part.startswith("DeviceId=")), None)
