"""Who the module is to the cloud, and the key that proves it: the workload API signs with it, edgeHub checks it."""

import hashlib
import hmac
import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote

_TOKEN = re.compile(r"SharedAccessSignature sr=(?P<resource>[^&]+)&sig=(?P<signature>[^&]+)&se=(?P<expiry>\d+)")


@dataclass(frozen=True, slots=True)
class ModuleIdentity:
    """One module of one device of one hub; `generation` and `key` change when it is deleted and made anew."""

    hub: str
    device: str
    module: str
    generation: str
    key: bytes = field(repr=False)

    @property
    def client(self) -> str:
        """The client id of MQTT."""
        return f"{self.device}/{self.module}"

    def sign(self, data: bytes) -> bytes:
        """HMAC-SHA256, as aziot-keyd signs for a module."""
        return hmac.new(self.key, data, hashlib.sha256).digest()

    def expiry(self, user_name: str, token: str) -> int | None:
        """When a SAS token of this module ends, in seconds since 1970; None for what is no such token."""
        if not user_name.startswith(f"{self.hub}/{self.client}/?"):
            return None
        told = _TOKEN.fullmatch(token)
        if told is None or unquote(told["resource"]) != f"{self.hub}/devices/{self.device}/modules/{self.module}":
            return None
        right = b64encode(self.sign(f"{told['resource']}\n{told['expiry']}".encode())).decode()
        return int(told["expiry"]) if hmac.compare_digest(right, unquote(told["signature"])) else None
