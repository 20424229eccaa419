"""The end of a refusal: ids in the order of the hops, each once."""

import pytest

from nestor.est.endings import ended, parted, signed


def test_each_server_puts_its_id_before_those_of_the_servers_above() -> None:
    text = "It did not answer. Ask again."
    for own in ("8f5c3eb200b4", "a5924add53c2", "830bd60c6190"):
        text = signed(text, own)
    assert text == "It did not answer. Ask again. (request 830bd60c6190, a5924add53c2, 8f5c3eb200b4)"
    assert parted(text) == ("It did not answer. Ask again.", ["830bd60c6190", "a5924add53c2", "8f5c3eb200b4"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No.",
        "No. (request 12AB)",
        "No. (request 12ab) Ask again.",
        "No. (request )",
        "No. (request 12ab,34cd)",
        f"No. (request {'a' * 33})",
        f"No. (request {', '.join(['12ab'] * 17)})",
    ],
)
def test_what_another_wrote_stays_as_it_is(text: str) -> None:
    assert parted(text) == (text, ())
    assert ended(text, ()) == text


def test_ids_may_be_all_there_is() -> None:
    assert ended("", ["12ab"]) == "(request 12ab)"
    assert parted("(request 12ab)") == ("", ["12ab"])
