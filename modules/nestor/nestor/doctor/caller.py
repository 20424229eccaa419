"""Asks one server at one address, as a stranger or as the device at hand, which sends what aziot-certd sends.

A password that counts goes only to a server that is believed, on the very connection on which it was.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http import HTTPMethod, HTTPStatus

from nestor.doctor.plan import Plan
from nestor.doctor.seen import STRANGER, Credential, Identity, Place, Presented, Question, Session, Talk, Trial, Version
from nestor.doctor.trust import is_believed
from nestor.doctor.wire import Wire
from nestor.est.layers import PATH
from nestor.model import Operation
from nestor.ports import Clock


class Caller:
    """The conversation with one server, each question on a connection of its own."""

    def __init__(self, plan: Plan, wire: Wire, place: Place, clock: Clock) -> None:
        self.plan = plan
        self._wire = wire
        self._place = place
        self._clock = clock

    def stranger(self, operation: Operation, body: bytes | None = None, made_up: Credential = STRANGER) -> Talk:
        """Ask without anything worth keeping: no credential, or one that is made up."""
        return self._ask(replace(self._question(operation, body), credential=made_up))

    def versions(self) -> dict[Version, Talk]:
        """Ask for /cacerts as a stranger, in each version of TLS alone."""
        questions = [replace(self._question(Operation.CACERTS), version=version) for version in Version]
        return dict(zip(Version, self._ask_at_once(*questions), strict=True))

    def path(self, path: str) -> Talk:
        """Get another path, as a stranger."""
        return self._ask(Question(HTTPMethod.GET, path))

    def layers(self, credential: Credential) -> Talk:
        """Ask what stands above: the server's operations port where that is at hand, else the server, as the device."""
        question = Question(HTTPMethod.GET, PATH)
        if self.plan.operations is not None:
            talk = self._wire.ask(self.plan.operations, question, secure=False)
            if talk.status == HTTPStatus.OK:
                return talk
        return self._ask(
            replace(question, credential=credential, believe=None if credential == STRANGER else self.believes)
        )

    def plain(self) -> Talk:
        """Ask for /cacerts in plain HTTP, whatever the URL says."""
        return self._wire.ask(self._place, self._question(Operation.CACERTS), secure=False)

    def secure(self) -> Talk:
        """Ask for /cacerts over TLS, whatever the URL says."""
        return self._wire.ask(self._place, self._question(Operation.CACERTS))

    def present(self, identity: Identity) -> Presented:
        """Ask for /cacerts with a client certificate: with its chain, where it has one, and alone."""
        forms = [replace(identity, chain=()), *([identity] if identity.chain else [])]
        question = self._question(Operation.CACERTS)
        alone, *whole = self._ask_at_once(*(replace(question, credential=Credential(identity=form)) for form in forms))
        return Presented(whole[0] if whole else None, alone)

    def device(self, operation: Operation, credential: Credential, body: bytes | None = None) -> Talk:
        """Ask with everything that aziot-certd sends."""
        return self._ask(self._as_device(operation, credential, body))

    def enroll(self, body: bytes, credential: Credential) -> Trial:
        """Ask for a certificate: both calls at once."""
        enroll = self._as_device(Operation.SIMPLE_ENROLL, credential, body)
        return Trial(*self._ask_at_once(enroll, self._as_device(Operation.CACERTS, credential)))

    def believes(self, session: Session) -> bool:
        """Whether the device would go on with a server that shows this."""
        return is_believed(session.chain, self.plan.address.host, self.plan.anchors, self._clock.now())

    def _as_device(self, operation: Operation, credential: Credential, body: bytes | None = None) -> Question:
        return replace(self._question(operation, body), credential=credential, believe=self.believes)

    def _question(self, operation: Operation, body: bytes | None = None) -> Question:
        method = HTTPMethod.GET if body is None else HTTPMethod.POST
        return Question(method, self.plan.address.path(operation), body)

    def _ask(self, question: Question) -> Talk:
        return self._wire.ask(self._place, question, secure=self.plan.address.secure)

    def _ask_at_once(self, *questions: Question) -> list[Talk]:
        with ThreadPoolExecutor(len(questions)) as all_of_them:
            return list(all_of_them.map(self._ask, questions))
