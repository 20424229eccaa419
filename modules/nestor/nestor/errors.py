"""What can go wrong, as one tree; the type says whose fault it is.

    NestorError                 a sentence for the person concerned, and a hint what to do
    |- DeviceFault              the one who asked can mend it
    |  |- Malformed             not base64, not DER, not a PKCS#10, a broken signature
    |  |  `- NotAForwarder      somebody tells of somebody else, and may not
    |  |- Looped                the request has been here before, or has come too far
    |  |- UnknownPath           nothing is served there
    |  |- WrongMethod           the operation exists, the HTTP method does not fit
    |  |- WrongMediaType        the body is of another kind than the operation takes
    |  |- TooLarge              more bytes than any request needs
    |  |- TooSlow               the request did not arrive in time
    |  |- NotOffered            a known operation that this server does not perform
    |  |- Unauthenticated       nobody known is asking
    |  |- Forbidden             somebody known is asking for what they may not have
    |  |  `- ForwarderForbidden  it is the forwarder that may not, whoever asked by it
    |  |- Conflicting           what is asked for contradicts what there is
    |  `- TooOften              somebody is asking too often
    |- Pending                  nobody has to mend anything: an operator has to approve it first
    |- OperatorFault            the one who runs Nestor can mend it
    |  |- SettingsError         the configuration document does not hold
    |  |- MaterialError         a key, certificate, ledger or user file cannot be used
    |  |- CannotDecide          an approval that cannot be given or denied at this time
    |  |- CannotIssue           nothing can be signed or recorded at this time
    |  |  `- ParentAway         the server of the layer above is not reached, or is not ready; nothing came of it
    |  |     `- NotKnownAbove   this server has no certificate to show there yet
    |  |- ParentSilent          the server of the layer above was asked, and did not answer in time
    |  |- ParentUnusable        it answered, and the answer cannot be used, or it does not let this server in
    |  |- RouteFailed           what a route leads to gives no answer that can be handed on
    |  |  |- RouteLate          it does not answer in time
    |  |  `- RouteClosed        nothing can be carried there at this time
    |  `- Unavailable           the server cannot be reached; the port or the data directory cannot be had
    `- OurFault                 a bug of Nestor's
       `- CannotGoOn            this process is beyond recovery; a new one may not be

No HTTP here: `web/problems.py` turns types into statuses, `cli/` turns them into exit codes.
The sentence and the hint are safe to show to whoever asked; the cause stays for the log.
"""


class NestorError(Exception):
    """A sentence that tells what is wrong and where, and a hint that tells what to do.

    `sentence` reads as a whole sentence without a prefix; `hint` may be empty.
    """

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint

    @property
    def text(self) -> str:
        """The sentence and the hint, as one line."""
        return f"{self.sentence} {self.hint}".strip()

    @property
    def reason(self) -> str:
        """A stable short word for logs, counters and reports: the name of the type."""
        return type(self).__name__


class DeviceFault(NestorError):
    """The one who asked can mend it."""


class Malformed(DeviceFault):
    """The bytes are not what the operation takes (RFC 7030, 4.2.3)."""


class NotAForwarder(Malformed):
    """A header that only forwarders send came from somebody who is none (RFC 9440, 4)."""


class Looped(DeviceFault):
    """The request has passed this server before, or too many others: servers are each other's parents."""


class UnknownPath(DeviceFault):
    """Nothing is served there (RFC 7030, 3.2.2)."""


class WrongMethod(DeviceFault):
    """The operation exists, the HTTP method does not fit; `allowed` are those that do."""

    def __init__(self, sentence: str, allowed: tuple[str, ...]) -> None:
        super().__init__(sentence)
        self.allowed = allowed


class WrongMediaType(DeviceFault):
    """The body is of another kind than the operation takes (RFC 9110, 15.5.16)."""


class TooLarge(DeviceFault):
    """More bytes than any request needs (RFC 9110, 15.5.14)."""


class TooSlow(DeviceFault):
    """The request did not arrive, or could not be answered, in its time."""


class NotOffered(DeviceFault):
    """A known operation that this server does not perform (RFC 7030, 4.3)."""


class Unauthenticated(DeviceFault):
    """Nobody known is asking; `challenge` says whether a password would help (RFC 7030, 3.2.3)."""

    def __init__(self, sentence: str, hint: str = "", *, challenge: bool = False) -> None:
        super().__init__(sentence, hint)
        self.challenge = challenge


class Forbidden(DeviceFault):
    """Somebody known is asking for what they may not have (RFC 7030, 3.7)."""


class ForwarderForbidden(Forbidden):
    """The forwarder itself is not let in, with a certificate that is revoked or no good: its operator can mend it."""


class Conflicting(DeviceFault):
    """What is asked for contradicts what there is (RFC 9110, 15.5.10)."""


class TooOften(DeviceFault):
    """Somebody is asking too often; `retry_after` in whole seconds."""

    def __init__(self, sentence: str, hint: str = "", *, retry_after: int) -> None:
        super().__init__(sentence, hint)
        self.retry_after = retry_after


class Pending(NestorError):
    """An operator, here or at a hop above, has to approve it first; `retry_after` in whole seconds.

    `accepted`: the one who asks is to repeat the very same request (RFC 7030, 4.2.3), else any will do.
    """

    def __init__(self, sentence: str, hint: str = "", *, retry_after: int, accepted: bool = False) -> None:
        super().__init__(sentence, hint)
        self.retry_after = retry_after
        self.accepted = accepted


class OperatorFault(NestorError):
    """The one who runs Nestor can mend it."""


class SettingsError(OperatorFault):
    """The configuration document does not hold; the sentence names the path of the key."""


EVERY_KEY = "Every key: nestor config example, or docs/reference/settings.md."
"""The hint for a document that does not hold."""


class MaterialError(OperatorFault):
    """A key, certificate, ledger or user file is missing, unreadable, or contradicts another."""


class CannotDecide(OperatorFault):
    """An approval cannot be given or denied: it was used, or others compete for the same device."""


class CannotIssue(OperatorFault):
    """Nothing can be signed or recorded at this time; `retry_after` in whole seconds."""

    def __init__(self, sentence: str, hint: str = "", *, retry_after: int = 60) -> None:
        super().__init__(sentence, hint)
        self.retry_after = retry_after


class ParentAway(CannotIssue):
    """The server of the layer above is not reached, or is not ready; nothing came of the request."""


class NotKnownAbove(ParentAway):
    """This server has no certificate yet to show to the server of the layer above; nothing was sent."""


class ParentSilent(OperatorFault):
    """The server of the layer above was asked, and did not answer in time: what came of the request is unknown."""


class ParentUnusable(OperatorFault):
    """The server of the layer above answered, and the answer cannot be used; or it does not let this server in."""


class Unavailable(OperatorFault):
    """A server cannot be reached, refuses us, or its port or its data directory cannot be had."""


class RouteFailed(OperatorFault):
    """What a route leads to does not answer, or not so that it can be handed on.

    The sentence names the route alone; `detail` says what happened and where, for the log and for reports.
    """

    def __init__(self, sentence: str, hint: str = "", *, detail: str) -> None:
        super().__init__(sentence, hint)
        self.detail = detail


class RouteLate(RouteFailed):
    """What a route leads to does not answer in time."""


class RouteClosed(RouteFailed):
    """Nothing can be carried on a route at this time: too much is, or what it needs is not there."""


class OurFault(NestorError):
    """A bug of Nestor's; the sentence shows nothing of the inside."""


class CannotGoOn(OurFault):
    """This process is beyond recovery and has to end, so that whoever watches over it starts a new one."""
