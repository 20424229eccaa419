"""What looks like a secret is refused by its path, with how to name it, and is never shown; what names one is taken."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.access.passwords import draw_password, hash_password
from nestor.errors import SettingsError
from nestor.twin.secrets import check_secrets
from support.asking import cheap_hash

_KEY = "MHcCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJk5oC1QWo6IbUGwoAoGCCqGSM49"
_SHARED = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJuZXN0b3IifQ.c2lnbmF0dXJl"


def refusal(document: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as told:
        check_secrets(document)
    return told.value.text


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"ca": {"key": f"-----BEGIN EC PRIVATE KEY-----\n{_KEY}\n-----END EC PRIVATE KEY-----"}}, "ca.key"),
        ({"ca": {"subject": f"-----BEGIN PRIVATE KEY-----{_KEY}"}}, "ca.subject"),
        ({"ca": {"key": "my-key-material-XYZ"}}, "ca.key"),
        ({"keys": {"passphrase": "Ludwig-van-9"}}, "keys.passphrase"),
        ({"keys": {"passphrase": "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"}}, "keys.passphrase"),
        ({"access": {"users": {"line1": {"password": "Ludwig-van-9"}}}}, "access.users.line1.password"),
        ({"access": {"users": {"line1": {"PassWord": "Ludwig-van-9"}}}}, "access.users.line1.PassWord"),
        ({"upstream": {"api_key": "Ludwig-van-9", "url": "x"}}, "upstream.api_key"),
        ({"upstream": {"token": _TOKEN}}, "upstream.token"),
        ({"upstream": {"url": _TOKEN}}, "upstream.url"),
        ({"upstream": {"url": "https://estuser:Ludwig-van-9@parent.example/est"}}, "upstream.url"),
        ({"upstream": {"header": "Bearer Ludwigvanbeethoven9"}}, "upstream.header"),
        ({"x": f"HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey={_SHARED}"}, "x"),
        ({"x": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey = {_SHARED}"}, "x"),
        ({"x": "SharedAccessSignature sr=h&sig=abcdefghijklmnopqrstuvwxyz&se=1700000000"}, "x"),
        ({"x": "https://a.blob.core.windows.net/c?sv=1&sig=abcdefghijklmnopqrstuvwxyz"}, "x"),
        ({"log": {"level": _SHARED}}, "log.level"),
        (
            {"access": {"users": {"u": {"passwordHash": "$2b$12$abcdefghijklmnopqr"}}}},
            "access.users.u.passwordHash",
        ),
        ({"ca": {"subject": "$6$salt$hash"}}, "ca.subject"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_secret_is_refused_by_its_path_and_not_shown(document: dict[str, Any], path: str) -> None:
    told = refusal(document)
    assert told.startswith(f"{path}: ")
    for secret in (_KEY, _SHARED, _TOKEN, "Ludwig", "abcdefghij", "my-key", "AGE-SECRET"):
        assert secret not in told


def test_the_sentence_says_how_to_name_it_instead() -> None:
    assert "env:NESTOR_SECRET_KEYS_PASSPHRASE or file:PATH" in refusal({"keys": {"passphrase": "Ludwig-van-9"}})


def test_a_key_that_is_a_secret_is_not_shown() -> None:
    told = refusal({"access": {"users": {f"SharedAccessKey={_SHARED}": {}}}})
    assert told.startswith("access.users: ")
    assert _SHARED not in told


@pytest.mark.parametrize(
    "document",
    [
        {"keys": {"passphrase": "env:NESTOR_SECRET_CA"}, "ca": {"key": "file:ca-key.pem", "keyType": "ec-p256"}},
        {"profiles": {"mine": {"keys": "ec-p256, rsa", "serverKey": "ec-p256", "keyUsage": "digitalSignature"}}},
        {"access": {"users": {"password": {"passwordHash": "file:/run/secrets/u.hash"}, "key": {"names": "token"}}}},
        {"access": {"gateways": "d2b2f1a6c8e94d3f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f"}},
        {"labels": {"secret": {"serverKeyGeneration": {"keyEncryptionKeys": {"key": "file:line1.kek"}}}}},
        {"listener": {"hostnames": "gw3.plant.example, fd00::1"}, "ca": {"subject": "CN=Basic Manufacturing, O=A+B=C"}},
        {"access": {"limits": {"failedPasswords": 5}}},
    ],
)
def test_what_only_names_or_looks_alike_is_taken(document: dict[str, Any]) -> None:
    check_secrets(document)


def _user(hashed: str) -> dict[str, Any]:
    return {"access": {"users": {"line1": {"passwordHash": hashed}}}}


def test_a_hash_that_is_slow_to_try_may_stand_in_a_twin() -> None:
    check_secrets(_user(hash_password("Ludwig-van-9")))


def test_a_hash_that_is_quick_to_try_may_not() -> None:
    slow = hash_password("Ludwig-van-9")
    quick = (slow.replace("m=19456", "m=19455"), slow.replace("t=2", "t=1"), slow.replace("argon2id", "argon2d"))
    for hashed in (
        *quick,
        cheap_hash("Ludwig-van-9"),
        draw_password().hash,
        "$argon2i$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA",
    ):
        told = refusal(_user(hashed))
        assert "nestor user hash" in told
        assert hashed not in told
        assert hashed.rpartition("$")[2] not in told


def test_a_hash_stands_nowhere_else() -> None:
    assert refusal({"ca": {"subject": hash_password("Ludwig-van-9")}}).startswith("ca.subject: ")


@given(st.text("eyJ-.$ sig=&Pwd:/@AB\\", max_size=4096))
def test_no_text_is_slow_to_look_at(text: str) -> None:
    begun = time.process_time()
    for repeated in (text, (text * 4096)[:4096]):
        try:
            check_secrets({"a": repeated})
        except SettingsError:
            continue
    assert time.process_time() - begun < 0.5
