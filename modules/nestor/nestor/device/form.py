"""The form of a config.toml: which keys there are, and what kind of value each has; one table. Pure.

The runtime ignores a key that it does not know without a word, and answers a value of the wrong kind with a sentence
that names neither key nor line. Tables that have nothing to do with certificates are left alone.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

from nestor.device.findings import problem, warning
from nestor.device.part import Part
from nestor.finding import Finding


class Kind(StrEnum):
    """Kinds of values, in the words of a sentence."""

    TEXT = "a text in quotes"
    FLAG = "true or false, without quotes"
    NUMBER = "a whole number, without quotes"
    TEXTS = "a list of texts"
    TABLE = "a table"
    FILE_OR_TABLE = "a file URI in quotes, or a table"


_AUTH = dict.fromkeys(
    (
        "username",
        "password",
        "bootstrap_identity_cert",
        "bootstrap_identity_pk",
        "identity_cert",
        "identity_pk",
    ),
    Kind.TEXT,
)
_RENEWAL = {"rotate_key": Kind.FLAG, "threshold": Kind.TEXT, "retry": Kind.TEXT}
_ISSUED = {
    "method": Kind.TEXT,
    "common_name": Kind.TEXT,
    "subject": Kind.TABLE,
    "expiry_days": Kind.NUMBER,
    "url": Kind.TEXT,
    "auto_renew": Kind.TABLE,
    **_AUTH,
}
_PROVEN = {
    "method": Kind.TEXT,
    "registration_id": Kind.TEXT,
    "identity_cert": Kind.FILE_OR_TABLE,
    "identity_pk": Kind.TEXT,
    "symmetric_key": Kind.TABLE,
    "device_id_pk": Kind.TABLE,
}
_TOP = {
    "hostname": Kind.TEXT,
    "parent_hostname": Kind.TEXT,
    "local_gateway_hostname": Kind.TEXT,
    "trust_bundle_cert": Kind.TEXT,
    "auto_reprovisioning_mode": Kind.TEXT,
    "allow_elevated_docker_permissions": Kind.FLAG,
    "provisioning": Kind.TABLE,
    "cert_issuance": Kind.TABLE,
    "edge_ca": Kind.TABLE,
    "aziot_keys": Kind.TABLE,
    "agent": Kind.TABLE,
}

TABLES: Mapping[str, Mapping[str, Kind]] = {
    "": _TOP,
    "provisioning": {
        "source": Kind.TEXT,
        "global_endpoint": Kind.TEXT,
        "id_scope": Kind.TEXT,
        "attestation": Kind.TABLE,
        "payload": Kind.TABLE,
        "iothub_hostname": Kind.TEXT,
        "device_id": Kind.TEXT,
        "authentication": Kind.TABLE,
        "connection_string": Kind.TEXT,
    },
    "provisioning.attestation": _PROVEN,
    "provisioning.attestation.identity_cert": _ISSUED,
    "provisioning.attestation.identity_cert.auto_renew": _RENEWAL,
    "provisioning.authentication": _PROVEN,
    "provisioning.authentication.identity_cert": _ISSUED,
    "provisioning.authentication.identity_cert.auto_renew": _RENEWAL,
    "edge_ca": {**_ISSUED, "cert": Kind.TEXT, "pk": Kind.TEXT, "auto_generated_edge_ca_expiry_days": Kind.NUMBER},
    "edge_ca.auto_renew": _RENEWAL,
    "cert_issuance": {"est": Kind.TABLE, "local_ca": Kind.TABLE},
    "cert_issuance.est": {
        "trusted_certs": Kind.TEXTS,
        "auth": Kind.TABLE,
        "identity_auto_renew": Kind.TABLE,
        "urls": Kind.TABLE,
    },
    "cert_issuance.est.auth": _AUTH,
    "cert_issuance.est.identity_auto_renew": _RENEWAL,
}
"""Every table that bears on certificates. The file itself has more keys than stand here."""

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9 _-]*>")


def is_placeholder(text: str) -> bool:
    """Whether a text only stands for one that somebody has to write there."""
    return _PLACEHOLDER.fullmatch(text) is not None


def check_form(file: Part) -> Iterator[Finding]:
    """Keys that nobody knows, and values of the wrong kind."""
    for path, keys in TABLES.items():
        part = file.below(*path.split(".")) if path else file
        for key, value in part.table.items():
            kind = keys.get(key)
            if kind is None:
                yield from _unknown(part, key, keys)
            elif not _is_of(kind, value):
                yield problem(part.path(key), f"it has to be {kind}.", "Write it so; the runtime takes nothing else.")


def check_filled(file: Part) -> Iterator[Finding]:
    """What was never filled in."""
    for at, text in file.every_text():
        if is_placeholder(text):
            yield problem(at, f"it still says {text}.", "Write the real value there.")


def _unknown(part: Part, key: str, keys: Mapping[str, Kind]) -> Iterator[Finding]:
    """A key that is not in the table; of the file itself only what looks like one that is."""
    close = difflib.get_close_matches(key, keys, n=1)
    remedy = f"Did you mean {close[0]}?" if close else f"Known here are {', '.join(keys)}."
    if not part.at and not close:
        return
    if part.at and key in _TOP:
        remedy = "It belongs to the top of the file, before the first [table]."
    yield warning(part.path(key), "the runtime knows no such key here and ignores it.", remedy)


def _is_of(kind: Kind, value: object) -> bool:
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.FLAG:
            return isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.TEXTS:
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case Kind.TABLE:
            return isinstance(value, dict)
        case Kind.FILE_OR_TABLE:
            return isinstance(value, str | dict)
