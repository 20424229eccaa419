"""The whole stand-in: an address of its own, the environment of a module, one life in a `with`."""

import socket
import threading

import pytest

from nestor.edge.identity import read_identity
from standin import address
from standin.broker import PORT
from standin.edge import Edge
from standin.errors import StandInError


def test_each_has_an_address_of_its_own_and_gives_it_back() -> None:
    with Edge() as one, Edge() as other:
        assert one.address != other.address
        mine = one.address
    again = address.claim(PORT)
    assert again.address == mine
    again.release()


def test_an_address_stays_ours_while_edgehub_is_away() -> None:
    with Edge(hub_present=False) as one, Edge() as other:
        assert one.address != other.address
        with pytest.raises(ConnectionRefusedError), socket.create_connection((one.address, PORT)):
            pass
        one.hub_returns()
        socket.create_connection((one.address, PORT)).close()


def test_a_port_that_somebody_has_on_every_address_is_replaced_by_another(edge: Edge) -> None:
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        taken = everywhere.getsockname()[1]
        assert address.free_port(edge.address, taken) != taken
    assert address.free_port(edge.address, taken) == taken


def test_the_environment_is_that_of_a_module(edge: Edge) -> None:
    identity = read_identity(edge.environment())
    assert identity is not None
    assert (identity.device, identity.module, identity.gateway) == ("gateway-1", "nestor", edge.address)
    assert identity.generation == edge.identity.generation
    assert identity.parent == ""


def test_a_device_below_another_is_told_of_its_parent() -> None:
    with Edge(parent="10.0.0.1") as edge:
        identity = read_identity(edge.environment())
        assert identity is not None
        assert identity.parent == "10.0.0.1"


def test_a_module_made_anew_has_another_generation_and_an_empty_twin(edge: Edge) -> None:
    before = edge.identity.generation
    edge.patch_desired({"a": 1})
    edge.recreate_module()
    assert edge.identity.generation != before
    assert edge.environment()["IOTEDGE_MODULEGENERATIONID"] == edge.identity.generation
    assert (edge.desired, edge.desired_version) == ({}, 1)


def test_versions_can_start_anew(edge: Edge) -> None:
    edge.patch_desired({"a": 1})
    edge.reset_versions()
    assert (edge.desired["a"], edge.desired_version) == (1, 1)


def test_what_is_read_is_a_copy(edge: Edge) -> None:
    edge.desired["log"]["level"] = "changed"
    assert edge.desired == {"log": {"level": "info"}}


def test_nothing_is_left_when_it_ends() -> None:
    with Edge() as edge:
        place = edge.socket.parent
        assert place.exists()
    assert not place.exists()
    assert "stand-in" not in {thread.name for thread in threading.enumerate()}


def test_waiting_asks_also_for_what_no_change_here_tells(edge: Edge) -> None:
    answers = iter([False, False, True])
    edge.wait_until(lambda: next(answers), 5)
    with pytest.raises(StandInError, match="in vain; nothing more is known"):
        edge.wait_until(lambda: False, 0.05)
