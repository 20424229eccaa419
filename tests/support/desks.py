"""A registrar of real parts, but for its ledger, which is in memory, and its clock, which stands until it is moved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nestor.access.build import build_gate
from nestor.access.memory import Memory
from nestor.access.settings import AccessSettings
from nestor.access.users import User, add_user
from nestor.ca.authority import LocalAuthority
from nestor.ca.clock_guard import ClockGuard
from nestor.events import Event
from nestor.keys.make import generate
from nestor.model import Credentials, Operation
from nestor.registrar.approval import Approver, build_limits
from nestor.registrar.desk import Ask, Registrar
from nestor.registrar.keygen import Generator, KeyGenerator
from nestor.registrar.labels import build_labels
from nestor.registrar.settings import ApprovalSettings, LabelSettings
from support import pki
from support.asking import cheap_hash
from support.device import wrapped
from support.issuing import OWN, HandClock, changed, root
from support.memory import MemoryLedger
from support.shapes import Request

ADDRESS = "192.0.2.1"
LINE, OTHER = ("line", "0815"), ("other", "4711")
_MAKER = pki.authority()


@dataclass
class Desk:
    """What a registrar is made of, and what it has told; `line` and `other` are users who may have everything."""

    place: Path
    profiles: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    labels: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    clock: HandClock = field(default_factory=HandClock)
    told: list[Event] = field(default_factory=list)
    revision: str = "1"
    names: str = "*"
    approval: Mapping[str, Any] = field(default_factory=dict)
    access: Mapping[str, Any] = field(default_factory=dict)

    @property
    def registrar(self) -> Registrar:
        """A new one, of this moment's parts; the ledger is the same, as it is after a reload."""
        catalog = changed(dict(self.profiles))
        labels = {name: LabelSettings.model_validate(document) for name, document in self.labels.items()}
        return Registrar(
            labels=build_labels(labels, catalog.names()),
            gate=self._gate(catalog),
            profiles=catalog,
            authority=LocalAuthority(root(), catalog, ClockGuard(self.clock), own=OWN, make_key=generate),
            ledger=self.ledger,
            key_generator=KeyGenerator(Generator(_MAKER.key, _MAKER.certificate), {}, self.ledger),
            approver=Approver(
                self.ledger, build_limits(ApprovalSettings.model_validate(self.approval)), [self.told.append]
            ),
            clock=self.clock,
            sinks=[self.told.append],
            revision=self.revision,
        )

    def _gate(self, catalog: Any) -> Any:
        for name, password in (LINE, OTHER):
            add_user(self.place / "users.json", User(name, cheap_hash(password), (self.names,), ("*",)))
        return build_gate(
            AccessSettings.model_validate(dict(self.access)),
            base=self.place,
            ledger=self.ledger,
            clock=self.clock,
            sinks=[self.told.append],
            issuers=lambda: root().certificates[:1],
            own=root().certificates,
            traits=catalog.traits,
            recognize=catalog.recognize,
            memory=Memory(),
        )


def ask_for(
    request: Request | bytes,
    operation: Operation = Operation.SIMPLE_ENROLL,
    *,
    user: tuple[str, str] | None = LINE,
    label: str | None = None,
    request_id: str = "0123456789ab",
) -> Ask:
    """A request as the site hands it on; bytes stand for a body as it is."""
    body = request if isinstance(request, bytes) else wrapped(request.der)
    name, password = user or (None, None)
    credentials = Credentials(ADDRESS, user=name, password=password, secret_bits=256)
    return Ask(operation, label, body, credentials, request_id)
