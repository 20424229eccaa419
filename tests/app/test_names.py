"""Which names are this server's own."""

from nestor.app.names import reserved_names


def test_names_of_every_machine_are_nobodys() -> None:
    shown = ("localhost", "LOCALHOST.", "127.0.0.1", "::1", "ip6-localhost")
    assert reserved_names((*shown, "gw3.plant.example", "10.0.0.3", "gw3.plant.example")) == [
        "gw3.plant.example",
        "10.0.0.3",
    ]
