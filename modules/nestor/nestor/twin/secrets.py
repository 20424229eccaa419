"""Secrets do not belong into a twin: many may read it, and hubs keep it (design D9). They are known by their looks.

What looks like one is refused with how to name it instead, and no sentence shows it, nor a key that is one. A password
hash is no secret where it costs as much to try a password as `nestor user hash` makes it cost (docs/adr/0013).
"""

import re
from collections.abc import Iterator, Mapping

from nestor.errors import SettingsError
from nestor.twin.form import shown

_HINT = "Whoever saw it in the twin may use it: make it anew."
_NAMED = ("env:", "file:")
_HASH_KEY = "passwordHash"

_SECRET_KEYS = re.compile(
    r"(pass(word|wd|phrase)?|pwd|secret|token|credential|pin)s?"
    r"|((private|shared|access|account|api|sharedaccess)?key|connectionstring|sas)"
)
_NOT_LETTERS = re.compile(r"[^a-z]")

# Every repetition has an end, so that no text is slow to look at.
_LOOKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY"), "a private key"),
    (re.compile(r"AGE-SECRET-KEY-", re.IGNORECASE), "a private key"),
    (re.compile(r"(SharedAccessKey|AccountKey|Password|Pwd)\s{0,9}=", re.IGNORECASE), "a connection string"),
    (re.compile(r"SharedAccessSignature\s|\bsig=[^&]{16,200}(&|$)", re.IGNORECASE), "a shared access signature"),
    (re.compile(r"\beyJ[\w-]{8,400}\.[\w-]{8,}"), "a token"),
    (re.compile(r"\bBearer\s{1,9}[\w+/=.-]{16}", re.IGNORECASE), "a token"),
    (re.compile(r"(?<!\w)\w{1,16}://[^/\s:@]{1,200}:[^/\s@]{1,200}@"), "a URL with a password"),
    (re.compile(r"(?<![A-Za-z0-9+/])([A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)"), "a shared key"),
    (
        re.compile(r"\$(2[abxy]?|1|5|6|y|7|gy|pbkdf2[\w-]{0,20}|argon2[a-z]{0,2}|scrypt|apr1)\$"),
        "the hash of a password",
    ),
)
_ARGON2ID = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,8}),p=\d{1,2}\$[A-Za-z0-9+/]{22,86}\$[A-Za-z0-9+/]{43,86}"
)
_LEAST_KIB, _LEAST_PASSES = 19_456, 2
"""What trying one password has to cost, for a hash that many may read: what `nestor user hash` makes it cost."""


def check_secrets(document: Mapping[str, object]) -> None:
    """Raise SettingsError, a line for everything that looks like a secret, for a document whose form was checked."""
    found = [f"{shown(path)}: {sentence}" for path, sentence in _secrets(document, "")]
    if found:
        raise SettingsError("\n".join(found), _HINT)


def _secrets(table: Mapping[str, object], path: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        place = f"{path}.{key}".lstrip(".")
        if (looks := _look(key)) is not None:
            yield path or "the document", f"one of its keys looks like {looks}; keys are names."
        elif isinstance(value, Mapping):
            yield from _secrets(value, place)
        elif isinstance(value, str) and (sentence := _sentence(key, value, place)) is not None:
            yield place, sentence


def _sentence(key: str, value: str, place: str) -> str | None:
    """Why a text must not stand here; None for one that may."""
    if key == _HASH_KEY and value.startswith("$"):
        return _sentence_of_hash(value)
    looks = _look(value)
    if looks is None and not value.startswith(_NAMED) and value and _SECRET_KEYS.fullmatch(_plain(key)):
        looks = "a secret"
    if looks is None:
        return None
    variable = re.sub(r"[^A-Z0-9]+", "_", place.upper())[-40:].strip("_")
    return f"this looks like {looks}; name where it is kept instead: env:NESTOR_SECRET_{variable} or file:PATH."


def _sentence_of_hash(value: str) -> str | None:
    match = _ARGON2ID.fullmatch(value)
    if match is not None and int(match[1]) >= _LEAST_KIB and int(match[2]) >= _LEAST_PASSES:
        return None
    return (
        "many can read this hash and try passwords against it; in a twin it has to be argon2id of "
        f"{_LEAST_KIB // 1024} MiB and {_LEAST_PASSES} passes, as nestor user hash makes it."
    )


def _look(text: str) -> str | None:
    return next((name for pattern, name in _LOOKS if pattern.search(text)), None)


def _plain(key: str) -> str:
    return _NOT_LETTERS.sub("", key.casefold())
