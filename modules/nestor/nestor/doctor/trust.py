"""Whether a device would believe the server: by its trusted_certs, else by the store of its system."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from nestor.doctor.certificate import judge_certificate, judge_dates_above
from nestor.doctor.chains import Path, find_path, is_root
from nestor.doctor.words import Topic, counted, fine, named, problem, quoted, warning
from nestor.finding import Finding, Gravity

_ALERT = "aziot-certd breaks off with the alert unknown_ca (48)"
_CONFIG = "trusted_certs of [cert_issuance.est]"


class By(StrEnum):
    """On whose word a server is believed."""

    FILE = "file"
    SYSTEM = "system"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Belief:
    """Whether there is a path to something trusted, and by whom it is."""

    by: By
    path: Path


def believe(chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate] | None) -> Belief:
    """Look for a path; `anchors` are the device's trusted_certs, None where it has none."""
    leaf, *others = chain
    refused = Path()
    if anchors is not None:
        refused = find_path(leaf, others, anchors)
        if refused.certificates:
            return Belief(By.FILE, refused)
    path = find_path(leaf, others, None)
    return Belief(By.SYSTEM, path) if path.certificates else Belief(By.NOBODY, refused if refused.words else path)


def is_believed(
    chain: Sequence[x509.Certificate], host: str, anchors: Sequence[x509.Certificate] | None, now: datetime
) -> bool:
    """Whether aziot-certd would go on with a server that shows this: where nothing is found that it does not take."""
    found = [*judge_certificate(chain, host, now), *judge_belief(chain, anchors, now)]
    return not any(finding.gravity is Gravity.PROBLEM for finding in found)


def judge_belief(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate] | None, now: datetime
) -> list[Finding]:
    """Whether a device believes the server, and whether one does that trusts the root alone."""
    belief = believe(chain, anchors)
    above = judge_dates_above([one for one in belief.path.certificates if one not in chain], now)
    match belief.by:
        case By.FILE:
            return [_by_file(belief), *_for_root_alone(chain, anchors or ()), *above]
        case By.SYSTEM:
            return [_by_system(belief), *above]
        case By.NOBODY:
            return [_by_nobody(chain, anchors, belief)]


_OWN = "A device has a store of its own; what is not in there goes into trusted_certs, and here into --cacert."


def _by_file(belief: Belief) -> Finding:
    return fine(Topic.CERTIFICATE, f"It comes from {named(belief.path.certificates[-1])}, which --cacert trusts.")


def _by_system(belief: Belief) -> Finding:
    root = named(belief.path.certificates[-1])
    return fine(Topic.CERTIFICATE, f"It comes from {root}, which the store of this machine trusts.", _OWN)


def _for_root_alone(chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> list[Finding]:
    """The intermediates have to come from the server, for they are not on every device."""
    roots = [anchor for anchor in anchors if is_root(anchor)]
    if find_path(chain[0], chain[1:], roots).certificates:
        return []
    return [
        warning(
            Topic.CERTIFICATE,
            "A device that trusts the root alone does not believe the server: it shows "
            f"{counted(len(chain), 'certificate')}, and not what lies between.",
            "Let the server show its chain: its own certificate, then each issuing CA in turn.",
        )
    ]


def _by_nobody(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate] | None, belief: Belief
) -> Finding:
    issuer = quoted(chain[-1].issuer.rfc4514_string())
    if anchors is None:
        return problem(
            Topic.CERTIFICATE,
            f"It comes from {issuer}, which the store of this machine does not trust; {_ALERT}.",
            f"Put the root into {_CONFIG}, and name the same file here: --cacert FILE.",
        )
    if find_path(chain[0], chain[1:], anchors, partial=True).certificates:
        return problem(
            Topic.CERTIFICATE,
            f"--cacert holds a CA above it, but not the root above that CA; {_ALERT}.",
            f"Put the root itself into {_CONFIG}: OpenSSL as aziot-certd uses it goes up to a root.",
        )
    if any(anchor.subject == chain[-1].issuer for anchor in anchors):
        return problem(
            Topic.CERTIFICATE,
            f"It comes from another CA than the one of the same name, {issuer}, in --cacert; {_ALERT}.",
            "Get the CA certificate anew: the CA has been made again, or somebody else answers there.",
        )
    words = "" if not belief.path.words else f" ({quoted(belief.path.words)})"
    return problem(
        Topic.CERTIFICATE,
        f"It comes from {issuer}, which --cacert does not trust{words}; {_ALERT}.",
        f"Put the root of the server into {_CONFIG}. If --cacert is that root, let the server show its issuing CAs.",
    )
