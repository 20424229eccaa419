"""All profiles of this CA, by name: the built-in ones as the operator changed them, and those of the operator."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from cryptography import x509

from nestor.ca import own_server, possession
from nestor.ca.builtin import BUILT_IN
from nestor.ca.profile import Profile, build_profile
from nestor.ca.recognition import recognize
from nestor.ca.settings import ProfileSettings
from nestor.ca.shapes import check_pinned, profile_for
from nestor.errors import EVERY_KEY, SettingsError
from nestor.model import CertificationRequest, ProfileTraits

_RESERVED = {own_server.PROFILE, possession.PROFILE}


class Catalog:
    """The profiles of a CA; implements the Profiles port."""

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        self._profiles = dict(profiles)

    def __getitem__(self, name: str) -> Profile:
        """The profile of a name that settings were checked for."""
        return self._profiles[name]

    def __iter__(self) -> Iterator[Profile]:
        """Every profile, the built-in ones first."""
        return iter(self._profiles.values())

    def names(self) -> tuple[str, ...]:
        """The names of all profiles, the built-in ones first."""
        return tuple(self._profiles)

    def lasting(self, lifetime: timedelta) -> "Catalog":
        """The same profiles, all of them with this lifetime to the day. Raises SettingsError for one that is none."""
        return Catalog({name: profile.lasting(lifetime) for name, profile in self._profiles.items()})

    def traits(self, name: str) -> ProfileTraits:
        """What the gate must know of a profile."""
        return self._profiles[name].traits

    def choose(self, csr: CertificationRequest, pinned: str | None) -> ProfileTraits:
        """The profile that a label pins, or the one that follows from the shape of the request.

        Raises Forbidden for a shape that no profile takes, and for a CA where none is issued.
        """
        if pinned is None:
            return self.traits(profile_for(csr))
        traits = self.traits(pinned)
        check_pinned(csr, ca=traits.ca, profile=pinned)
        return traits

    def recognize(self, certificate: x509.Certificate, wanted: str | None = None) -> ProfileTraits:
        """The profile that a certificate of ours was issued by; `wanted` decides where several could be it.

        Raises Forbidden where that cannot be told.
        """
        return recognize(certificate, self._profiles.values(), wanted)


def build_catalog(settings: Mapping[str, ProfileSettings]) -> Catalog:
    """Lay the operator's profiles over the built-in ones. Raises SettingsError, a line for every key that is wrong."""
    profiles: dict[str, Profile] = {}
    problems = [f"profiles.{name}: Nestor itself uses this name; choose another." for name in _RESERVED & {*settings}]
    for name in (*BUILT_IN, *(name for name in settings if name not in BUILT_IN)):
        try:
            profiles[name] = build_profile(name, settings_of(name, settings.get(name)))
        except SettingsError as error:
            problems.append(error.sentence)
    for profile in profiles.values():
        unknown = profile.traits.may_request - {*BUILT_IN, *settings}
        problems += [f"profiles.{profile.name}.mayRequest: there is no profile {other}." for other in sorted(unknown)]
    if problems:
        raise SettingsError("\n".join(problems), EVERY_KEY)
    return Catalog(profiles)


def settings_of(name: str, changed: ProfileSettings | None) -> ProfileSettings:
    """The settings of one profile: those of the built-in one of that name, where the operator set nothing."""
    said = changed.model_dump(mode="json", by_alias=True, exclude_unset=True) if changed else {}
    return ProfileSettings.model_validate_json(json.dumps(_laid_over(BUILT_IN.get(name, {}), said)))


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Key by key, into the documents within."""
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _laid_over(below.get(key, {}), value) if isinstance(value, dict) else value
    return merged
