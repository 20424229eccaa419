"""Tables of a config.toml: what is there, what is not, and what is never shown."""

from nestor.device.part import Part

PART = Part("", {"a": "text", "b": {"c": ["one", 2, "three"], "d": {"password": "0815"}}, "e": 5})


def test_a_text_is_read_and_anything_else_reads_as_none() -> None:
    assert PART.text("a") == "text"
    assert [PART.text(key) for key in ("b", "e", "z")] == [None, None, None]


def test_the_texts_of_a_list_are_read() -> None:
    assert PART.below("b").texts("c") == ("one", "three")
    assert PART.texts("a") == ()


def test_a_table_further_down_knows_its_path() -> None:
    assert PART.below("b", "d").path("password") == "b.d.password"
    assert PART.part("b") is not None
    assert PART.part("a") is None


def test_a_table_that_is_absent_is_empty() -> None:
    absent = PART.below("x", "y")
    assert (absent.at, dict(absent.table)) == ("x.y", {})


def test_every_text_is_found_with_its_path() -> None:
    found = [("a", "text"), ("b.c[1]", "one"), ("b.c[3]", "three"), ("b.d.password", "0815")]
    assert list(PART.every_text()) == found


def test_a_part_shows_nothing_of_its_content() -> None:
    assert "0815" not in repr(PART.below("b", "d"))
