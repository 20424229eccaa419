"""What the port promises where the document is silent."""

from datetime import timedelta

from nestor.web.settings import ListenerSettings


def test_the_patience_and_the_caps_of_a_default_server() -> None:
    limits = ListenerSettings.model_validate({}).limits
    seconds = {name: value.total_seconds() for name, value in limits if isinstance(value, timedelta)}
    assert seconds == {
        "wait": 10, "handshake": 5, "head": 5, "body": 5, "request": 12, "answer": 10, "idle": 15, "lifetime": 3600
    }  # fmt: skip
    assert (limits.connections, limits.connections_per_address) == (2000, 64)


def test_by_default_this_machine_alone_can_connect() -> None:
    assert ListenerSettings.model_validate({}).addresses == ("localhost",)
