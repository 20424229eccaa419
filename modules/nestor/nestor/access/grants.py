"""What a grant covers, and what is said of what it does not cover: to whoever stands in the way. Pure.

A request that a forwarder conveys has to be within its scope as well. Where that alone does not cover it, the operator
hears of the forwarder, and not of a password or a certificate that is right already.
"""

from collections.abc import Callable
from dataclasses import replace

from nestor.access.scope import EVERY, beyond
from nestor.document import any_covers
from nestor.errors import Forbidden
from nestor.model import Grant, Method, ProfileTraits, Requester

_OWN_PROFILES = (
    "What a certificate may ask for is mayRequest of its profile: that of an EST identity has the usual ones."
)


def covers_name(grant: Grant, name: str) -> bool:
    """Whether it covers a name, on every level."""
    return any_covers(grant.names, name) and (grant.within is None or covers_name(grant.within, name))


def covers_profile(grant: Grant, profile: ProfileTraits) -> bool:
    """Whether it lists a profile, on every level; `*` covers none that stands for a whole layer."""
    here = profile.name in grant.profiles or (EVERY in grant.profiles and not profile.entrusted)
    return here and (grant.within is None or covers_profile(grant.within, profile))


def scope_of(requester: Requester) -> Grant | None:
    """What the forwarder between may ask for; where it states who asked, nothing else is granted."""
    return (requester.grant.within or requester.grant) if requester.forwarder else None


def no_device(requester: Requester, device: str) -> Forbidden:
    """The refusal of a device id that is not granted."""
    if _is_scope_in_the_way(requester, lambda grant: covers_name(grant, device)):
        return _not_spoken_for(requester, device)
    return Forbidden(
        f"{requester.name} may not have a certificate for {device}.",
        "The operator can grant names to a password or a maker; a certificate of ours is for its own device.",
    )


def no_alternative_name(requester: Requester, name: str | None, *, held: bool) -> Forbidden:
    """The refusal of an alternative name; what is held already would be granted, but for a forwarder."""
    if name is not None and (held or _is_scope_in_the_way(requester, lambda grant: covers_name(grant, name))):
        return _not_spoken_for(requester, name)
    return Forbidden(
        f"{requester.name} may not have the subject alternative name {name}.",
        "Leave it out, or have the operator grant it: patterns cover names like this too.",
    )


def no_profile(requester: Requester, profile: ProfileTraits) -> Forbidden:
    """The refusal of a profile that is not granted."""
    if _is_scope_in_the_way(requester, lambda grant: covers_profile(grant, profile)):
        return beyond(requester.forwarder, f"does not ask for certificates of the profile {profile.name}", "profiles")
    own = requester.method is Method.CERTIFICATE
    return Forbidden(
        f"{requester.name} may not have a certificate of the profile {profile.name}.",
        _OWN_PROFILES if own else "The operator lists it among the profiles of this credential, if that is wanted.",
    )


def _is_scope_in_the_way(requester: Requester, covers: Callable[[Grant], bool]) -> bool:
    """Whether it is the scope of a forwarder that does not cover what whoever asked may have."""
    scope = scope_of(requester)
    if scope is None or covers(scope):
        return False
    return requester.grant is scope or covers(replace(requester.grant, within=None))


def _not_spoken_for(requester: Requester, name: str) -> Forbidden:
    return beyond(requester.forwarder, f"does not speak for {name}", "names")
