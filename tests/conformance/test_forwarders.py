"""The issuing side of a hop: whose word on who asks is believed, within which scope, and what is looked at again.

Everything comes over real TLS; forwarders are of a CA of their own, which the settings list.
"""

import hashlib
import time
from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.device import Device, Identity
from support.forwarding import (
    Header,
    Tower,
    alone,
    convey,
    hops,
    in_header,
    stated,
    told_of,
)
from support.proving import DAY, KEK_ID, NOW, PASSWORD
from support.server import Server
from support.shapes import (
    CLIENT_AUTH,
    CMC_RA,
    DECRYPT_KEY_ID,
    challenge,
    client_auth,
    device_identity,
    dns_names,
    edge_ca,
    est_identity,
    purposes,
    request,
    server,
    wrapping,
)
from support.signing import CLIENT, SERVER, Signed, root


def _statuses(sender: Device, cases: dict[str, Sequence[Header]], name: str) -> dict[str, int]:
    return {kind: convey(sender, headers, device_identity(name)).status for kind, headers in cases.items()}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _purposes(certificate: x509.Certificate) -> x509.ExtendedKeyUsage:
    return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value


@pytest.mark.conformance("SRA-1", "AUTH-11")
def test_what_lacks_one_mark_of_a_forwarder_is_none(tower: Tower) -> None:
    told = told_of(tower.enrolled("line1-marks"))
    ours = tower.enrolled("nestor-line1")
    lacking = {
        "no certificate": tower.server.device(),
        "without cmcRA": tower.forwarder(usages=CLIENT),
        "of another issuer": tower.server.device(identity=ours),
        "another subject": tower.forwarder("nestor-line3"),
        "of a maker": tower.forwarder(issuer=tower.factory.ca),
    }
    answers = {kind: convey(sender, told, est_identity("line1-marks")).status for kind, sender in lacking.items()}
    assert answers == dict.fromkeys(lacking, 400)
    assert convey(tower.forwarder(), told, est_identity("line1-marks")).status == 200
    plain = tower.server.device(identity=ours)
    assert plain.enroll(est_identity("nestor-line1")).status == 200


@pytest.mark.conformance("SRA-2", "RA-4")
def test_a_forged_client_cert_from_a_device_is_refused_and_told_of(tower: Tower) -> None:
    victim, thief = tower.enrolled("line1-victim"), tower.enrolled("line1-thief")
    forger = tower.server.device(identity=thief)
    answer = convey(forger, told_of(victim), device_identity("line1-victim"))
    assert (answer.status, "forwarder" in answer.text) == (400, True)
    assert "reason=NotAForwarder" in tower.server.log()
    by_password = tower.line
    assert convey(by_password, told_of(victim), device_identity("line1-victim")).status == 400
    assert convey(forger, stated("line1-victim"), device_identity("line1-victim")).status == 400
    assert convey(forger, [hops("gw")], device_identity("line1-thief")).status == 400


@pytest.mark.conformance("SRA-2")
def test_the_header_counts_for_nobody_where_no_forwarder_is_listed(desk: Server) -> None:
    user = desk.device(user=("line", PASSWORD))
    told = told_of(user.enrolled(est_identity("nobody-forwards")))
    assert convey(user, told, est_identity("nobody-forwards")).status == 400


@pytest.mark.conformance("SRA-3")
def test_headers_that_are_not_exactly_in_form_are_refused(tower: Tower) -> None:
    one = tower.enrolled("line1-form")
    cert = in_header(one.certificate)
    wrong: dict[str, Sequence[Header]] = {
        "two lines": [("Client-Cert", cert), ("Client-Cert", cert)],
        "two in a line": [("Client-Cert", f"{cert}, {cert}")],
        "bad base64": [("Client-Cert", f":{cert[1:-3]}:")],
        "no colons": [("Client-Cert", cert[1:-1])],
        "no certificate": [("Client-Cert", ":AAAA:")],
        "a chain alone": [("Client-Cert-Chain", cert)],
        "a chain too long": [("Client-Cert", cert), *[("Client-Cert-Chain", cert)] * 7],
        "half a statement": [("Nestor-Requester", 'method="password", user="line1-form"')],
        "a deadline that is none": [("Client-Cert", cert), ("Nestor-Deadline", "soon")],
    }
    assert _statuses(tower.forwarder(), wrong, "line1-form") == dict.fromkeys(wrong, 400)
    chain = [("Client-Cert", cert), *[("Client-Cert-Chain", cert)] * 2]
    assert convey(tower.forwarder(), chain, device_identity("line1-form")).status == 200


@pytest.mark.conformance("SRA-4")
def test_a_conveyed_certificate_is_judged_as_one_in_the_handshake(tower: Tower) -> None:
    good = tower.enrolled("line1-judged")
    forged = alone("line1-judged", issuer_name=good.certificate.issuer, extensions=[CLIENT])
    cases = {
        "of nobody": alone("line1-judged", extensions=[CLIENT]),
        "of an unknown CA": alone("line1-judged", root("Nobody"), extensions=[CLIENT]),
        "forged in our name": forged,
        "expired": tower.factory.make("line1-judged", start=NOW - 2 * DAY, end=NOW - DAY),
        "not yet valid": tower.factory.make("line1-judged", start=NOW + DAY, end=NOW + 2 * DAY),
        "for servers": tower.factory.make("line1-judged", SERVER),
        "a CA": tower.factory.make("line1-judged", ca=True),
    }
    told = {kind: told_of(identity) for kind, identity in cases.items()}
    assert _statuses(tower.forwarder(), told, "line1-judged") == dict.fromkeys(cases, 403)
    assert convey(tower.forwarder(), told_of(good), device_identity("line1-judged")).status == 200


@pytest.mark.conformance("SRA-4", "TLS-12")
def test_a_revoked_device_gets_nothing_through_a_forwarder(tower: Tower) -> None:
    revoked = tower.enrolled("line1-revoked")
    assert convey(tower.forwarder(), told_of(revoked), est_identity("line1-revoked")).status == 200
    tower.server.revoke(revoked)
    answer = convey(tower.forwarder(), told_of(revoked), est_identity("line1-revoked"))
    assert (answer.status, "revoked" in answer.text) == (403, True)


@pytest.mark.conformance("SRA-4")
def test_what_an_edge_ca_minted_is_no_device_of_ours(tower: Tower) -> None:
    wanted = edge_ca("line1-gw1")
    gateway = tower.line.enroll(wanted)
    assert gateway.status == 200, gateway.text
    minted = Signed(gateway.certificate, wanted.key).sign("line1-x", extensions=[CLIENT], start=NOW, end=NOW + DAY)
    identity = Identity(minted.certificate, minted.key, (gateway.certificate,))
    assert convey(tower.forwarder(), told_of(identity), device_identity("line1-x")).status == 403


@pytest.mark.conformance("SRA-5")
def test_a_forwarder_outside_its_scope_is_refused(tower: Tower) -> None:
    mine, theirs = tower.enrolled("line1-in"), tower.enrolled("line2-out")
    line1 = tower.forwarder()
    assert convey(line1, told_of(theirs), device_identity("line2-out")).status == 403
    assert convey(line1, told_of(theirs), device_identity("line1-in")).status == 403
    assert convey(line1, told_of(mine), device_identity("line2-out")).status == 403
    assert convey(line1.but(label="other"), told_of(mine), device_identity("line1-in")).status == 403
    assert convey(line1, stated("anybody"), device_identity("line2-out")).status == 403
    assert convey(line1, stated("anybody"), server("line1-srv")).status == 403
    assert convey(tower.forwarder("nestor-line2"), told_of(theirs), device_identity("line2-out")).status == 200


@pytest.mark.conformance("SRA-5")
def test_a_name_that_a_device_holds_already_is_in_the_scope_as_well(tower: Tower) -> None:
    names = [client_auth(), dns_names("a.line1.example", "b.line2.example")]
    wanted = request("line1-names", None, names)
    identity = tower.line.enrolled(wanted)
    device = tower.server.device(identity=identity)
    assert device.reenroll(wanted).status == 200
    assert convey(tower.forwarder(), told_of(identity), wanted, "simplereenroll").status == 403


@pytest.mark.conformance("SRA-5")
def test_certificates_of_a_maker_that_is_not_listed_are_not_conveyed(tower: Tower) -> None:
    made = tower.factory.make("line1-made")
    assert convey(tower.forwarder(), told_of(made), est_identity("line1-made")).status == 200
    other = tower.factory.make("line2-made")
    assert convey(tower.forwarder("nestor-line2"), told_of(other), est_identity("line2-made")).status == 403


@pytest.mark.conformance("SRA-5")
def test_a_statement_counts_where_the_scope_says_so(tower: Tower) -> None:
    line1, line2 = tower.forwarder(), tower.forwarder("nestor-line2")
    assert convey(line1, stated("operator"), est_identity("line1-said")).status == 200
    assert convey(line2, stated("operator"), est_identity("line2-said")).status == 403
    assert convey(line1, stated("operator", method="certificate"), est_identity("line1-said")).status == 403
    assert "password operator" in tower.server.log()
    assert convey(line1.but(label="by-certificate"), stated("operator"), est_identity("line1-said")).status == 403
    assert convey(line1.but(label="by-password"), stated("operator"), est_identity("line1-pass")).status == 200
    both = [*told_of(tower.enrolled("line1-both")), *stated("operator")]
    assert convey(line1.but(label="by-both"), both, est_identity("line1-both")).status == 200
    assert convey(line1.but(label="by-both"), both[:1], est_identity("line1-both")).status == 403


@pytest.mark.conformance("SRA-6")
def test_a_forwarders_certificate_conveyed_as_a_client_is_refused(tower: Tower) -> None:
    line1 = tower.forwarder()
    assert line1.identity is not None
    itself = convey(line1, told_of(line1.identity), est_identity("nestor-line1"))
    assert (itself.status, "forwarder" in itself.text) == (403, True)
    other = tower.forwarder("line1-other").identity
    assert other is not None
    assert convey(line1, told_of(other), est_identity("line1-other"), "simplereenroll").status == 403


@pytest.mark.conformance("SRA-7", "RE-1")
def test_a_conveyed_device_renews_what_it_showed(tower: Tower) -> None:
    identity = tower.enrolled("line1-renews")
    told = told_of(identity)
    renewed = convey(tower.forwarder(), told, est_identity("line1-renews"), "simplereenroll")
    assert renewed.certificate.subject == identity.certificate.subject
    assert convey(tower.forwarder(), told, est_identity("line1-others"), "simplereenroll").status == 403


@pytest.mark.conformance("SRA-7")
def test_a_forwarder_that_conveys_no_certificate_renews_nothing(tower: Tower) -> None:
    line1 = tower.forwarder()
    assert line1.but(label="by-certificate").reenroll(est_identity("line1-renews-not")).status == 403
    assert convey(line1, stated("operator"), est_identity("line1-renews-not"), "simplereenroll").status == 403


@pytest.mark.conformance("SRA-8")
def test_the_ledger_and_the_log_tell_of_both_identities_and_of_the_way(tower: Tower) -> None:
    identity = tower.enrolled("line1-audit")
    told = told_of(identity, hops("gw1.line1.example#1", "gw2.line1.example#2"))
    asked = device_identity("line1-audit")
    issued = convey(tower.forwarder(), told, asked).certificate
    serial = f"{issued.serial_number:x}"
    way = "line1 (gw1.line1.example#1, gw2.line1.example#2)"
    line = next(line for line in tower.server.log().splitlines() if f"serial={serial}" in line)
    assert f'forwarder="{way}"' in line
    assert 'by="certificate line1-audit"' in line
    assert f"csr={_sha256(asked.der)}" in line
    shown = tower.server.command("cert", "show", serial).stdout
    assert way in shown
    assert _sha256(identity.certificate.public_bytes(Encoding.DER)).upper() in shown


@pytest.mark.conformance("SRA-9")
def test_nobody_gets_the_marks_of_a_forwarder_by_asking(tower: Tower) -> None:
    wanted = request("line1-greedy", None, [purposes(CLIENT_AUTH, CMC_RA)])
    line = tower.line
    for label in (None, "by-password", "keys", "other"):
        answer = line.but(label=label).enroll(wanted)
        assert answer.status == 403 or CMC_RA not in _purposes(answer.certificate)
    told = told_of(tower.enrolled("line1-greedy"))
    assert convey(tower.forwarder(), told, wanted).status == 403


@pytest.mark.conformance("SRA-9")
def test_a_forwarder_that_tells_of_nobody_asks_for_itself(tower: Tower) -> None:
    line1 = tower.forwarder()
    assert line1.enroll(device_identity("line1-any")).status in {401, 403}
    assert convey(line1, [("Nestor-Deadline", "5000")], device_identity("line1-any")).status in {401, 403}


@pytest.mark.conformance("RA-15")
def test_a_request_that_came_too_far_is_refused_at_once(tower: Tower) -> None:
    told = told_of(tower.enrolled("line1-far"), hops(*(f"gw{number}" for number in range(9))))
    begun = time.monotonic()
    assert convey(tower.forwarder(), told, device_identity("line1-far")).status == 508
    assert time.monotonic() - begun < 2


@pytest.mark.conformance("RA-7")
def test_headers_of_other_gateways_say_nothing_of_anybody(tower: Tower) -> None:
    victim = tower.enrolled("line1-header")
    pem = victim.pem.decode().replace("\n", "%0A")
    headers = [
        ("X-Forwarded-Client-Cert", f'Cert="{pem}"'),
        ("x-ms-edge-clientcert", pem),
        ("X-SSL-Client-Cert", pem),
        ("Forwarded", "for=192.0.2.1"),
    ]
    for sender in (tower.server.device(), tower.forwarder()):
        assert convey(sender, headers, device_identity("line1-header")).status in {401, 403}


@pytest.mark.conformance("RA-15")
def test_no_time_left_ends_a_request_at_once(tower: Tower) -> None:
    told = told_of(tower.enrolled("line1-late"), ("Nestor-Deadline", "0"))
    assert convey(tower.forwarder(), told, device_identity("line1-late")).status == 408


@pytest.mark.conformance("POP-7")
def test_the_binding_of_another_session_comes_through_a_forwarder_only(tower: Tower) -> None:
    identity = tower.enrolled("line1-bound")
    bound = request("line1-bound", None, [client_auth()], [challenge("c29tZWJvZHkgZWxzZQ==")])
    linked = tower.forwarder().but(label="linked")
    assert convey(linked, told_of(identity), bound).status == 200
    assert convey(linked, told_of(identity), est_identity("line1-bound")).status == 400
    assert tower.server.device(identity=identity).enroll(bound).status == 400


@pytest.mark.conformance("KG-10")
def test_a_key_goes_through_a_forwarder_wrapped_or_not_at_all(tower: Tower) -> None:
    told = told_of(tower.enrolled("line1-key"))
    keys = tower.forwarder().but(label="keys")
    plain = convey(keys, told, device_identity("line1-key"), "serverkeygen")
    assert (plain.status, "wrapped" in plain.text) == (403, True)
    wishes = wrapping(DECRYPT_KEY_ID, KEK_ID.encode(), "2.16.840.1.101.3.4.1.45", "2.16.840.1.101.3.4.1.42")
    assert convey(keys, told, request("line1-key", None, [], wishes), "serverkeygen").status == 200


@pytest.mark.conformance("HTTP-14")
def test_the_largest_certificate_has_room_in_a_header(tower: Tower) -> None:
    note = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), bytes(7_100))
    large = tower.factory.make("line1-large", CLIENT, note)
    assert len(in_header(large.certificate)) > 9_802
    assert convey(tower.forwarder(), told_of(large), est_identity("line1-large")).status == 200


def test_the_same_request_gets_the_same_certificate_directly_or_not(tower: Tower) -> None:
    told, wanted = told_of(tower.enrolled("line1-again")), device_identity("line1-again")
    first = convey(tower.forwarder(), told, wanted).certificate
    assert convey(tower.forwarder(), told, wanted).certificate == first
