"""What a device asks for, held against what IoT Edge sends."""

import base64

import pytest

from nestor.doctor.requests import Kind, check_device, common_name, make_key, write_request
from nestor.errors import SettingsError
from nestor.est import pkcs10
from nestor.model import CertificationRequest
from support import shapes

_SHAPES = {
    Kind.EST_IDENTITY: shapes.est_identity,
    Kind.DEVICE_IDENTITY: shapes.device_identity,
    Kind.EDGE_CA: shapes.edge_ca,
}


def _asked(request: CertificationRequest) -> tuple[object, ...]:
    return (
        request.subject,
        request.alternative_names,
        request.basic_constraints,
        request.key_usage,
        request.extended_key_usage,
        request.other_extensions,
        request.challenge_password,
    )


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_the_shape_that_devices_send(kind: Kind) -> None:
    key = make_key(kind)
    body = write_request(kind, "pump-1", key)
    ours = pkcs10.read(base64.b64decode(body))
    theirs = pkcs10.read(_SHAPES[kind]("pump-1").der)
    assert _asked(ours) == _asked(theirs)
    assert (ours.key_type, ours.key_bits) == (theirs.key_type, theirs.key_bits)
    pkcs10.check_signature(ours)


def test_the_body_has_lines_of_64_columns_and_no_armor() -> None:
    lines = write_request(Kind.EST_IDENTITY, "pump-1", make_key(Kind.EST_IDENTITY)).split(b"\n")
    assert lines[-1] == b""
    assert {len(line) for line in lines[:-2]} == {64}
    assert b"-" not in lines[0]


def test_names_are_cut_where_iot_edge_cuts_them() -> None:
    assert common_name(Kind.EDGE_CA, "gw1") == "aziot-edge CA gw1"
    assert len(common_name(Kind.EDGE_CA, "g" * 64)) == 64


@pytest.mark.parametrize("device", ["", "x" * 65, "a\nb"])
def test_a_device_id_that_no_certificate_can_carry_is_refused(device: str) -> None:
    with pytest.raises(SettingsError):
        check_device(device)
