"""May they have this: the one place that decides, on every path, for every kind of credential. Pure; denies by default.

The rules are asked in the order of `decide`; each refuses with a sentence, what passes them all is admitted. Nowhere
else is a requester weighed against a name or a profile.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from nestor.access.approval import needs_approval
from nestor.access.case import Case, open_case
from nestor.access.form import check_form
from nestor.access.grants import covers_name, covers_profile, no_alternative_name, no_device, no_profile, scope_of
from nestor.access.names import text_of
from nestor.access.renewal import check_new_names, check_renewable, check_same_alternative_names, check_same_subject
from nestor.approval import ApprovalRules
from nestor.document import any_covers
from nestor.errors import Forbidden
from nestor.est.names import same_alternative_names
from nestor.model import (
    CertificationRequest,
    Label,
    Method,
    Operation,
    Order,
    ProfileTraits,
    Requester,
    Standing,
    Terms,
)
from nestor.naming import fold

ONE_TIME_GRACE = timedelta(minutes=10)
"""How long a spent password stays good for the same device and profile: an answer may have been lost."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator laid down beside grants: who may have a CA certificate, and which names are a Nestor's own.

    `layers` are folded device ids. `reserved_names` are those of this server, of those above it, and of the layers.
    """

    gateways: tuple[str, ...] = ()
    reserved_names: frozenset[str] = frozenset()
    layers: frozenset[str] = frozenset()


def reserve(names: Collection[str]) -> frozenset[str]:
    """Names as the rules compare them: whatever their case, with or without the dot of the root."""
    return frozenset(map(_plain, names))


def decide(
    *,
    rules: Rules,
    requester: Requester,
    csr: CertificationRequest,
    profile: ProfileTraits,
    operation: Operation,
    label: Label,
    standing: Standing,
    now: datetime,
) -> Order:
    """Admit a request, or raise Forbidden with the reason."""
    case = open_case(requester=requester, csr=csr, profile=profile, operation=operation, standing=standing, now=now)
    check_form(case)
    check_renewable(case)
    check_same_subject(case)
    check_same_alternative_names(case)
    check_new_names(case)
    _check_device(case)
    _check_alternative_names(case)
    _check_profile(case)
    _check_gateway(case, rules)
    _check_reserved(case, rules)
    origin = _origin(case, label.approval)
    _check_one_time(case)
    _check_key(case)
    return Order(
        csr=csr,
        profile=profile.name,
        device=case.device,
        label=label.name,
        terms=Terms(None if _is_exempt(requester) else origin, fresh_key=not profile.key_reuse),
        subject=case.subject,
        alternative_names=case.alternative_names,
        needs_approval=needs_approval(case, label.approval),
        conveyance=requester.conveyance,
    )


def _check_device(case: Case) -> None:
    """A credential is good for the names that its grant covers (design D21); a new name does not free the old."""
    grant, requester = case.requester.grant, case.requester
    if not covers_name(grant, case.device):
        raise no_device(requester, case.device)
    if case.former_device not in {case.device, requester.identity} and not covers_name(grant, case.former_device):
        raise no_device(requester, case.former_device)


def _check_alternative_names(case: Case) -> None:
    """Every alternative name is one that the grant covers, or one that the certificate of ours has already.

    Whoever conveys the request has to be granted it in any case.
    """
    requester = case.requester
    held = case.presented_names if requester.entry else ()
    scope = scope_of(requester)
    for name in case.alternative_names:
        text = text_of(name)
        is_held = any(same_alternative_names((name,), (one,)) for one in held)
        if is_held and (scope is None or (text is not None and covers_name(scope, text))):
            continue
        if text is None or not covers_name(requester.grant, text):
            raise no_alternative_name(requester, text, held=is_held)


def _check_profile(case: Case) -> None:
    """Somebody known may ask for the profiles that their grant lists, and for no other."""
    if not covers_profile(case.requester.grant, case.profile):
        raise no_profile(case.requester, case.profile)


def _check_gateway(case: Case, rules: Rules) -> None:
    """A CA certificate is for gateways and layers that a rule names, whatever else is granted (design D3)."""
    if case.profile.ca and case.profile.entrusted:
        _check_layer(case, rules)
    elif case.profile.ca and not any_covers(rules.gateways, case.device):
        raise Forbidden(
            f"{case.device} is not a gateway, so it gets no CA certificate.",
            "The operator adds the device id to access.gateways.",
        )


def _check_layer(case: Case, rules: Rules) -> None:
    if case.device not in rules.layers:
        raise Forbidden(
            f"{case.device} is not a layer, so it gets no CA certificate that has room for others below it.",
            "The operator adds it to access.layers.",
        )


def _check_reserved(case: Case, rules: Rules) -> None:
    """Nobody else gets a server certificate for Nestor's own names, its parent's or a layer's (design D3)."""
    if not case.profile.server:
        return
    for name in (case.common_name, *map(_text, case.alternative_names)):
        if _plain(name) in rules.reserved_names:
            raise Forbidden(
                f"The name {name} belongs to this server, or to that of another layer; nobody else gets a server "
                "certificate for it."
            )


def _origin(case: Case, approval: ApprovalRules) -> Method | None:
    """A live name is onboarded again only by the class of credential that first got it (design, rulings).

    Another one needs the word of an operator, on paths where that is asked for. Answers which class must still be the
    first one when the certificate is recorded.
    """
    first, requester = case.standing.origin, case.requester
    if _is_exempt(requester):
        return None
    if first in {None, requester.origin}:
        return requester.origin
    if approval.reonboarding and needs_approval(case, approval):
        return first
    raise Forbidden(
        f"{case.device} has live certificates that it got by {first}; {requester.origin} does not take it over.",
        "Use the first kind of credential, or have the operator revoke the live certificates.",
    )


def _is_exempt(requester: Requester) -> bool:
    """A certificate of ours takes nothing over: it is the device's own."""
    return requester.method is Method.CERTIFICATE


def _check_one_time(case: Case) -> None:
    """A one-time password is spent per device and profile; repeats stay good for ten minutes.

    It was spent in the future by a clock that has been put back since, and is no less spent for that.
    """
    spent = case.standing.spent_at
    if case.requester.one_time is not None and spent is not None and abs(case.now - spent) > ONE_TIME_GRACE:
        raise Forbidden(f"The one-time password for {case.device} has been used.", "Ask the operator for a new one.")


def _check_key(case: Case) -> None:
    """Where the profile wants new keys, one certified before is refused, but for a repeat of the same request."""
    reused = case.standing.key_used and case.standing.replay is None and not case.profile.key_reuse
    if reused and case.operation is not Operation.SERVER_KEYGEN:
        raise Forbidden("The key of the request has been certified before.", "Make a new key for every certificate.")


def _text(name: x509.GeneralName) -> str:
    return text_of(name) or ""


def _plain(name: str) -> str:
    return fold(name.rstrip("."))
