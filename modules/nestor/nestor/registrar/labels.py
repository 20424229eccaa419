"""Labels as values: the settings of EST paths, checked against the words of the protocol. Pure."""

from collections.abc import Collection, Mapping

from nestor.approval import ApprovalAnswer, ApprovalRules
from nestor.errors import SettingsError, UnknownPath
from nestor.est.menu import RESERVED_LABELS, is_label
from nestor.model import ChallengeUse, Combination, Label
from nestor.registrar.settings import DEFAULT, LabelSettings


def build_labels(settings: Mapping[str, LabelSettings], profiles: Collection[str]) -> Mapping[str, Label]:
    """The labels by name, `default` always among them. Raises SettingsError (RFC 7030, 3.2.2)."""
    named = {DEFAULT: LabelSettings.model_validate({}), **settings}
    return {name: _build(name, label, profiles) for name, label in named.items()}


def find_label(labels: Mapping[str, Label], name: str | None) -> Label:
    """The rules of a path. Raises UnknownPath for a label that nobody configured."""
    label = None if name == DEFAULT else labels.get(name or DEFAULT)
    if label is None:
        raise UnknownPath(f"This server has no EST label {name}.", "Ask its operator which URL this device is to use.")
    return label


def _build(name: str, settings: LabelSettings, profiles: Collection[str]) -> Label:
    where = f"labels.{name}"
    if name in RESERVED_LABELS or not is_label(name):
        raise SettingsError(f"{where}: a label is one path segment and not the name of an EST operation.", "Rename it.")
    if settings.profile is not None and settings.profile not in profiles:
        raise SettingsError(
            f"{where}.profile: there is no profile {settings.profile}.", f"Known are: {', '.join(sorted(profiles))}."
        )
    code = settings.challenge_password is ChallengeUse.ONE_TIME_CODE
    if code and settings.linking:
        raise SettingsError(
            f"{where}: a challengePassword cannot be a code and the TLS binding at once.", "Choose one."
        )
    if code and settings.authentication is Combination.CERTIFICATE:
        raise SettingsError(
            f"{where}: a code is a password, but only certificates count here.", "Change authentication."
        )
    if settings.reonboarding and settings.approval is ApprovalAnswer.NONE:
        raise SettingsError(f"{where}.reonboarding: nothing is approved on this path.", "Set its approval too.")
    return Label(
        name=name,
        profile=settings.profile,
        combination=settings.authentication,
        linking=settings.linking,
        challenge=settings.challenge_password,
        server_keygen=settings.server_key_generation.enabled,
        lenient=settings.lenient_body,
        enforce_csr_attributes=settings.enforce_csr_attributes,
        approval=ApprovalRules(settings.approval, settings.approval_for, settings.reonboarding),
    )
