"""The rows of docs/conformance.md: what is required, which tests carry a row's id, and how the page is written."""

import ast
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROWS = TESTS / "conformance" / "rows.toml"
PAGE = TESTS.parent / "docs" / "conformance.md"

_OPENING = """\
# Conformance

Written by the tests (`make conformance`); a run of all tests fails when this page is out of date. Each row is proved
from the outside, against a running `nestor serve`.

*Level*: MUST, SHOULD and MAY are those of the source; **INT** is what a deployed peer forces on a server that wants to
talk to it; **POL** is a policy of Nestor's where the RFCs are silent. *Result*: **passed**, with the tests that prove
it; **later**, with the capability that the row waits for; **not followed**, with the reason.
"""
_HEADINGS = "| row | source | level | requirement | result |\n|---|---|---|---|---|\n"


@dataclass(frozen=True)
class Row:
    """One requirement; `later` and `declined` are empty where it is proved."""

    id: str
    source: str
    level: str
    requirement: str
    later: str = ""
    declined: str = ""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """The rows of one subject, in order."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, order=True)
class Proof:
    """A test function that carries row ids; `place` is its file below tests/."""

    place: str
    name: str

    @classmethod
    def of(cls, nodeid: str) -> "Proof":
        """The function of a pytest node id, its parameters and xdist group left out."""
        path, _, name = nodeid.partition("::")
        return cls(path.removeprefix("tests/"), name.partition("[")[0].partition("@")[0])


Proofs = Mapping[str, Sequence[Proof]]
"""The tests of each row."""


def read_sections() -> list[Section]:
    """Every requirement, in order."""
    sections = tomllib.loads(ROWS.read_text("utf-8"))["sections"]
    return [
        Section(section["title"], tuple(Row(id_, **row) for id_, row in section["rows"].items()))
        for section in sections
    ]


def marked_tests() -> dict[Proof, list[str]]:
    """The row ids of every test that carries some, as its file says, whether or not it is collected."""
    return {
        Proof(str(path.relative_to(TESTS)), function.name): rows
        for path in sorted(TESTS.rglob("test_*.py"))
        for function in _functions(path.read_text("utf-8"))
        if (rows := [row for decorator in function.decorator_list for row in _marked_rows(decorator)])
    }


def page(sections: Sequence[Section], proofs: Proofs) -> str:
    """The page, given the tests that passed."""
    return "\n".join([_OPENING, _summary(sections), *(_table(section, proofs) for section in sections)])


def _functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    if "mark.conformance" not in source:
        return
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _marked_rows(decorator: ast.expr) -> Iterator[str]:
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.conformance":
        yield from (str(ast.literal_eval(argument)) for argument in decorator.args)


def _summary(sections: Sequence[Section]) -> str:
    rows = [row for section in sections for row in section.rows]
    later, declined = sum(bool(row.later) for row in rows), sum(bool(row.declined) for row in rows)
    passed = len(rows) - later - declined
    return f"{len(rows)} rows: {passed} passed, {later} later, {declined} not followed.\n"


def _table(section: Section, proofs: Proofs) -> str:
    lines = [
        f"| {row.id} | {row.source} | {row.level} | {row.requirement} | {_result(row, proofs.get(row.id, ()))} |"
        for row in section.rows
    ]
    return f"## {section.title}\n\n{_HEADINGS}" + "\n".join(lines) + "\n"


def _result(row: Row, proofs: Sequence[Proof]) -> str:
    names = ", ".join(f"[{_sentence(proof)}](../tests/{proof.place})" for proof in sorted(proofs))
    if row.later:
        verdict = f"**later**: {row.later}." + (f" So far: {names}." if names else "")
    elif row.declined:
        verdict = f"**not followed**: {row.declined}" + (f" Shown: {names}." if names else "")
    else:
        verdict = f"**passed**: {names}."
    return f"{verdict} {row.note}".strip()


def _sentence(proof: Proof) -> str:
    return proof.name.removeprefix("test_").replace("_", " ")
