"""What the operator of this host may have (port `HostGate`): every profile, for the names that they write. Pure.

Nobody is identified here: whoever can read the CA key and write the ledger is the operator. A request is bound to the
names written beside it all the same, because somebody else made it; and the rules of `policy.py` hold for everyone.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from nestor.access.names import text_of
from nestor.access.policy import Rules, decide
from nestor.access.scope import EVERY
from nestor.document import literal
from nestor.errors import Forbidden
from nestor.est.names import same_alternative_names
from nestor.model import (
    CertificationRequest,
    Entry,
    Errand,
    Grant,
    Label,
    Method,
    Operation,
    Order,
    ProfileTraits,
    Requester,
    Standing,
    State,
)
from nestor.naming import EDGE_CA_PREFIX, device_id, fold

_NO_PATH = Label("")
_LIVE = "Revoke what is live first, or issue all the same (--replace)."


class HostGate:
    """The gate that an operator passes; `operator` is who the ledger names, `rules` are those of every gate."""

    def __init__(self, operator: str, rules: Rules) -> None:
        self._operator = operator
        self._rules = rules

    def complete(self, errand: Errand) -> CertificationRequest:
        """The request with what the operator writes beside it. Raises Forbidden for names that nobody wrote."""
        csr, written = errand.csr, errand.alternative_names
        if csr.new_names is not None:
            raise Forbidden(
                "The request asks for other names than its own (ChangeSubjectName), which only a renewal may.",
                "Make it with the names that the certificate is to have.",
            )
        named = csr if errand.name is None else _named(csr, errand.name)
        _check_alternative_names(named, written)
        more = [one for one in written if not _is_among(one, named.alternative_names)]
        return replace(named, alternative_names=(*named.alternative_names, *more))

    def identify(self, csr: CertificationRequest, standing: Standing) -> Requester:
        """The operator, granted what this request names; how a live device first came here stays as it is."""
        names = (csr.device, *filter(None, map(text_of, csr.alternative_names)))
        return Requester(
            method=Method.OPERATOR,
            name=self._operator,
            caller="operator",
            grant=Grant(tuple(map(literal, names)), frozenset({EVERY})),
            origin=standing.origin or Method.OPERATOR,
        )

    def authorize(
        self,
        *,
        errand: Errand,
        requester: Requester,
        csr: CertificationRequest,
        profile: ProfileTraits,
        standing: Standing,
        live: Sequence[Entry],
        certified: Sequence[Entry],
        now: datetime,
    ) -> Order:
        """May they have this. A device that the operator names may be a gateway, as one that the settings name."""
        _check_key(certified)
        if not errand.replace:
            _check_free(csr, profile, standing, live)
        gateways = (*self._rules.gateways, literal(csr.device)) if errand.name is not None else self._rules.gateways
        return decide(
            rules=replace(self._rules, gateways=gateways),
            requester=requester,
            csr=csr,
            profile=profile,
            operation=Operation.SIMPLE_ENROLL,
            label=_NO_PATH,
            standing=standing,
            now=now,
        )


def _check_key(certified: Sequence[Entry]) -> None:
    """A key that was revoked once is not trusted again, whoever brings it and for whatever."""
    revoked = next((entry for entry in certified if entry.state is State.REVOKED), None)
    if revoked is not None:
        reason = revoked.revocation_reason
        raise Forbidden(f"The key of this request had a certificate that was revoked: {reason}.", "Make a new key.")


def _check_free(csr: CertificationRequest, profile: ProfileTraits, standing: Standing, live: Sequence[Entry]) -> None:
    """A live device is given nothing by mistake: not beside another class of credential, nor for a second key."""
    if standing.origin not in {None, Method.OPERATOR}:
        raise Forbidden(f"{csr.device} has live certificates that it first got by {standing.origin}.", _LIVE)
    for entry in live:
        if entry.profile == profile.name and entry.spki_sha256 != csr.spki_sha256:
            until = f"serial {entry.serial:x}, valid until {entry.not_after:%Y-%m-%d}"
            raise Forbidden(
                f"{csr.device} has a certificate of {profile.name} for another key already, {until}.", _LIVE
            )


def _named(csr: CertificationRequest, name: str) -> CertificationRequest:
    """The request under a name: it has to be for that device, or for none yet."""
    if csr.common_name:
        if csr.device != device_id(name):
            raise Forbidden(f"The request is for {csr.common_name}, not for {name}.", "Check who sent which request.")
        return csr
    plain = name.removeprefix(EDGE_CA_PREFIX)
    asks_for_ca = csr.basic_constraints is not None and csr.basic_constraints.ca
    common_name = EDGE_CA_PREFIX + plain if asks_for_ca else plain
    try:
        part = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    except ValueError:
        raise Forbidden(f"{name!r} cannot be the common name of a certificate.", "Use 64 characters at most.") from None
    return replace(csr, subject=x509.Name([*csr.subject.rdns, part]), common_name=common_name)


def _check_alternative_names(csr: CertificationRequest, written: Sequence[x509.GeneralName]) -> None:
    """What a request asks for by itself is its own name; every other one has to stand beside it."""
    for one in csr.alternative_names:
        text = text_of(one)
        if (text is None or fold(text) != csr.device) and not _is_among(one, written):
            raise Forbidden(
                f"The request asks for the subject alternative name {text}, which is not written beside it.",
                "Write it there if the device may have it.",
            )


def _is_among(one: x509.GeneralName, names: Sequence[x509.GeneralName]) -> bool:
    return any(same_alternative_names((one,), (other,)) for other in names)
