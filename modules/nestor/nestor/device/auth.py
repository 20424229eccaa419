"""How a device authenticates to an EST server: user and password, a pair of files, or both. Pure.

Half of a pair counts as nothing, as it does on the device, without a word.
"""

from dataclasses import dataclass

from nestor.device.part import Part


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as URIs, and where the file names them."""

    certificate_at: str
    certificate: str
    key_at: str
    key: str


@dataclass(frozen=True, slots=True)
class Auth:
    """How a request to the EST server is authenticated, as one table says."""

    part: Part

    @property
    def login(self) -> tuple[str, str] | None:
        """User name and password."""
        user, password = self.part.text("username"), self.part.text("password")
        return None if user is None or password is None else (user, password)

    @property
    def bootstrap(self) -> Pair | None:
        """What gets the first EST identity."""
        return self._pair("bootstrap_identity_cert", "bootstrap_identity_pk")

    @property
    def identity(self) -> Pair | None:
        """An EST identity that is there already; the bootstrap pair goes before it."""
        return None if self.bootstrap else self._pair("identity_cert", "identity_pk")

    @property
    def pair(self) -> Pair | None:
        """The pair of files that this authentication begins with."""
        return self.bootstrap or self.identity

    @property
    def is_usable(self) -> bool:
        """Whether there is a whole way to authenticate."""
        return self.login is not None or self.pair is not None

    def _pair(self, certificate: str, key: str) -> Pair | None:
        first, second = self.part.text(certificate), self.part.text(key)
        if first is None or second is None:
            return None
        return Pair(self.part.path(certificate), first, self.part.path(key), second)
