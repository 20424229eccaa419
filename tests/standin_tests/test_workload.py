"""The stand-in's workload API, asked as the runtime's is."""

import contextlib
import http.client
from base64 import b64decode, b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from standin.edge import Edge
from standin.workload import AT_ONCE
from standin_tests.conftest import Caller


def test_the_trust_bundle_holds_the_edge_ca_and_the_root(workload: Caller) -> None:
    status, answer = workload.ask("GET", "/trust-bundle")
    names = [one.subject.rfc4514_string() for one in x509.load_pem_x509_certificates(answer["certificate"].encode())]
    assert (status, names) == (200, ["CN=aziot-edge CA gateway-1", "CN=Stand-in root"])


def test_the_manifest_trust_bundle_is_there_and_empty(workload: Caller) -> None:
    assert workload.ask("GET", "/manifest-trust-bundle") == (200, {"certificate": ""})


def test_the_modules_of_the_device_are_listed(workload: Caller) -> None:
    status, answer = workload.ask("GET", "/modules")
    assert (status, [module["name"] for module in answer["modules"]]) == (200, ["edgeAgent", "edgeHub", "nestor"])


def test_signatures_are_those_of_the_modules_key(edge: Edge, workload: Caller) -> None:
    status, answer = workload.module("sign", {"keyId": "primary", "algo": "HMACSHA256", "data": _b64(b"text")})
    assert (status, b64decode(answer["digest"])) == (200, edge.identity.sign(b"text"))


def test_a_server_certificate_has_the_shape_of_aziot_edged(edge: Edge, workload: Caller) -> None:
    wish = {"commonName": edge.address, "expiration": "2031-01-01T00:00:00Z"}
    status, answer = workload.module("certificate/server", wish)
    leaf, edge_ca = x509.load_pem_x509_certificates(answer["certificate"].encode())
    key = load_pem_private_key(answer["privateKey"]["bytes"].encode(), None)
    assert (status, answer["privateKey"]["type"]) == (201, "key")
    assert answer["privateKey"]["bytes"].startswith("-----BEGIN PRIVATE KEY-----")
    assert isinstance(key, RSAPrivateKey)
    assert key.public_key() == leaf.public_key()
    assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.SERVER_AUTH
    ]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == [edge.address, "nestor"]
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 30
    assert answer["expiration"].startswith(leaf.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%S"))
    leaf.verify_directly_issued_by(edge_ca)
    root = x509.load_pem_x509_certificates(edge.trust_bundle.encode())[-1]
    PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName("nestor"))
    edge_ca.verify_directly_issued_by(root)


def test_what_is_sealed_is_unsealed_by_the_same_module_of_the_same_generation_alone(
    edge: Edge, workload: Caller
) -> None:
    sealed = workload.seal(b"the key of a CA")
    assert b64decode(workload.unseal(sealed)[1]["plaintext"]) == b"the key of a CA"
    assert workload.unseal(sealed, generation="1")[0] == 500
    assert workload.unseal(sealed, module="other")[0] == 403
    edge.recreate_module()
    assert workload.unseal(sealed)[0] == 500


def test_a_lost_sealing_key_unseals_nothing(edge: Edge, workload: Caller) -> None:
    sealed = workload.seal(b"secret")
    edge.lose_sealing_key()
    status, answer = workload.unseal(sealed)
    assert (status, list(answer)) == (500, ["message"])


@pytest.mark.parametrize(
    ("path", "body", "version", "status"),
    [
        ("/trust-bundle", None, "", 400),
        ("/trust-bundle", None, "2017-01-01", 400),
        ("/nothing", None, "2022-08-03", 404),
        ("/modules/other/genid/1/sign", {"data": ""}, "2022-08-03", 403),
        ("/modules/nestor/genid/1/sign", None, "2022-08-03", 400),
        ("/modules/nestor/genid/1/sign", {"data": "~"}, "2022-08-03", 400),
        ("/modules/nestor/genid/1/sign", {}, "2022-08-03", 400),
        ("/modules/nestor/genid/1/sign", [], "2022-08-03", 400),
    ],
)
def test_errors_are_json_with_a_message(workload: Caller, path: str, body: object, version: str, status: int) -> None:
    method = "POST" if path.endswith("sign") else "GET"
    told, answer = workload.ask(method, path, body, version=version)
    assert told == status
    assert isinstance(answer["message"], str)


@pytest.mark.parametrize("word", ["sign", "encrypt", "decrypt", "certificate/server"])
def test_any_call_can_be_made_to_fail(edge: Edge, workload: Caller, word: str) -> None:
    edge.faults.workload_failing = frozenset({word.rsplit("/", maxsplit=1)[-1]})
    assert workload.module(word, {})[0] == 500


def test_the_eleventh_request_at_a_time_is_hung_up_on(edge: Edge, workload: Caller) -> None:
    edge.faults.workload_hangs = True
    with contextlib.ExitStack() as stack:
        for _ in range(AT_ONCE):
            stack.enter_context(contextlib.closing(workload.send("GET", "/trust-bundle")))
        edge.wait_until(lambda: edge.workload_most_at_once == AT_ONCE, 5)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            workload.ask("GET", "/trust-bundle")
    edge.faults.clear()


def _b64(data: bytes) -> str:
    return b64encode(data).decode()
