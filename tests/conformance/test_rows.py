"""The rows themselves: none without a verdict, no test for a row that is not there."""

from collections import Counter

from support.rows import marked_tests, read_sections

ROWS = {row.id: row for section in read_sections() for row in section.rows}
MARKED = marked_tests()


def test_every_marker_names_a_known_row() -> None:
    assert {row for rows in MARKED.values() for row in rows} <= ROWS.keys()


def test_every_row_is_proved_or_comes_later_or_is_declined() -> None:
    proved = {row for rows in MARKED.values() for row in rows}
    assert [row.id for row in ROWS.values() if not (row.id in proved or row.later or row.declined)] == []


def test_no_row_both_comes_later_and_is_declined() -> None:
    assert [row.id for row in ROWS.values() if row.later and row.declined] == []


def test_every_row_stands_in_one_section() -> None:
    ids = [row.id for section in read_sections() for row in section.rows]
    assert [row for row, times in Counter(ids).items() if times > 1] == []
