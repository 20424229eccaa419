"""Certificates asked for in earnest, in the order in which a device asks; each with a new key, which is forgotten.

With a certificate at hand: it fetches an EST identity, and that one fetches everything else. With a password alone: it
fetches everything, an EST identity too where the server asks for certificates. At last the EST identity renews itself
with its leaf alone, as aziot-certd has it do. The first failure ends it: a device would not come further either.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from nestor.doctor.cacerts import ca_certificates
from nestor.doctor.caller import Caller
from nestor.doctor.enrollment import certificate_of, failed, judge_bootstrap, judge_leftovers, judge_trial, left_behind
from nestor.doctor.issued import Asked
from nestor.doctor.requests import Kind, make_key, write_request
from nestor.doctor.seen import Credential, Identity, Trial
from nestor.doctor.verdict import not_tried
from nestor.finding import Finding
from nestor.ports import Clock

if TYPE_CHECKING:
    from cryptography import x509


class Step(NamedTuple):
    """One certificate to ask for; `what` names it in sentences."""

    kind: Kind
    what: str


FIRST_IDENTITY = Step(Kind.EST_IDENTITY, "an EST identity")
DEVICE_IDENTITY = Step(Kind.DEVICE_IDENTITY, "a device identity")
EDGE_CA = Step(Kind.EDGE_CA, "an Edge CA")
RENEWAL = Step(Kind.EST_IDENTITY, "a renewed EST identity, shown the old leaf alone")


class Trials:
    """What was asked for and issued so far; `credential` is the one at hand.

    `certificates` tells whether the server asks for certificates in TLS, and so has a use for an EST identity.
    """

    def __init__(
        self, caller: Caller, device: str, credential: Credential, clock: Clock, *, certificates: bool
    ) -> None:
        self._caller = caller
        self._device = device
        self._credential = credential
        self._clock = clock
        self._certificates = certificates
        self._made: dict[Step, Trial] = {}
        self._identity: Identity | None = None
        self._issued: list[x509.Certificate] = []

    def findings(self) -> Iterator[Finding]:
        """Ask for one after the other."""
        steps = self._steps()
        for done, step in enumerate(steps, start=1):
            found = self._try(step)
            yield from found
            if failed(found):
                yield from not_tried([left.what for left in steps[done:]])
                break
        yield from judge_leftovers(self._issued)

    def _steps(self) -> list[Step]:
        edge_ca = [EDGE_CA] if self._caller.plan.edge_ca else []
        if self._credential.identity is not None:
            return [FIRST_IDENTITY, DEVICE_IDENTITY, *edge_ca, RENEWAL]
        return [DEVICE_IDENTITY, *edge_ca, *([FIRST_IDENTITY, RENEWAL] if self._certificates else [])]

    def _try(self, step: Step) -> list[Finding]:
        key = make_key(step.kind)
        asked = Asked(step.kind, self._device, key, step.what)
        trial = self._made[step] = self._caller.enroll(
            write_request(step.kind, self._device, key), self._credential_for(step)
        )
        self._issued += filter(None, [left_behind(asked, trial)])
        kept = certificate_of(asked, trial)
        if kept is not None and step is FIRST_IDENTITY:
            self._identity = Identity(kept, key, ca_certificates(trial.cacerts))
        return [*judge_trial(asked, trial, self._clock.now()), *self._judge_bootstrap(step)]

    def _credential_for(self, step: Step) -> Credential:
        """The EST identity, once a device that came with a certificate has one; it renews itself without its chain."""
        if self._identity is None:
            return self._credential
        came_by_password = self._credential.identity is None
        if step is RENEWAL:
            alone = replace(self._identity, chain=())
            return Credential(None if came_by_password else self._credential.login, alone)
        return self._credential if came_by_password else replace(self._credential, identity=self._identity)

    def _judge_bootstrap(self, step: Step) -> list[Finding]:
        """A device that comes with a certificate waits for both identities at once."""
        if step is not DEVICE_IDENTITY or self._credential.identity is None:
            return []
        return judge_bootstrap(self._made[FIRST_IDENTITY], self._made[step])
