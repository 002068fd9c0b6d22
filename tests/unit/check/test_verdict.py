"""What rows mean: equations, ranges, differences; which of them fail a command; and the same as JUnit XML."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ecom_lite.check.junit import junit
from ecom_lite.check.named import Check
from ecom_lite.check.verdict import ERROR, FAIL, PASS, SKIPPED, Report, Result, judged
from ecom_lite.errors import CheckFailed

CHECK = Check("c", "", "Both sides agree.", "orders", "lines")


def state(columns: list[str], *rows: tuple[Any, ...]) -> str:
    return judged(CHECK, columns, rows).state


@pytest.mark.parametrize(
    ("columns", "row", "expected", "shown"),
    [
        (["left", "right"], (1, 1), PASS, "1"),
        (["left", "right"], (Decimal("1.00"), 1), PASS, "1.00"),
        (["left", "right"], (Decimal("1.01"), 1), FAIL, "1.01"),
        (["right", "left"], (1, 2), FAIL, "2"),
        (["left", "right"], (None, None), FAIL, "None"),
        (["left", "right", "up_to"], (1, 3, 3), PASS, "1 .. 3"),
        (["left", "right", "up_to"], (1, 0, 3), FAIL, "1 .. 3"),
        (["left", "right", "up_to"], (1, 4, 3), FAIL, "1 .. 3"),
        (["left", "right", "up_to"], (1, None, 3), FAIL, "1 .. 3"),
        (["left", "right", "up_to"], (None, 1, 3), FAIL, "None .. 3"),
        (["left", "right", "up_to"], (1, "2", 3), FAIL, "1 .. 3"),
        (["left", "right", "up_to"], (Decimal("NaN"), 1, 3), FAIL, "NaN .. 3"),
        (["left", "right", "up_to"], (3, 3, 3), PASS, "3"),
        (["left", "right", "up_to"], (3, 4, None), FAIL, "3"),
        (["left", "right", "closes"], (1, 2, True), PASS, "1"),
        (["left", "right", "closes"], (1, 1, False), FAIL, "1"),
        (["left", "right", "closes"], (1, 1, None), PASS, "1"),
    ],
)
def test_an_equation(columns: list[str], row: tuple[Any, ...], expected: str, shown: str) -> None:
    found = judged(CHECK, columns, [row])
    (line,) = found.lines
    assert (found.state, str(line.left), line.name, line.closes) == (expected, shown, "orders = lines", expected == PASS)
    assert line.note == ("still growing" if ".." in shown else "")


def test_several_rows_are_several_lines_and_each_must_close() -> None:
    columns = ["line", "left", "right", "note", "figures"]
    found = judged(CHECK, columns, [("a", 1, 1, None, {"x": 1}), ("b", 1, 2, "why", None)])
    assert [str(line) for line in found.lines] == ["a: 1 is not 1", "b: 1 is not 2 (why)"]
    assert (found.state, found.figures, found.told) == (FAIL, {"x": 1}, "b: 1 is not 2 (why)")
    assert judged(CHECK, columns, []).state == PASS


def test_a_column_of_a_users_check_is_no_figure_of_the_report() -> None:
    mine = Check("mine", "", "It holds.", file=Path("mine.sql"))
    for figures in (5, "total", {"facts": 5}):
        assert judged(mine, ["left", "right", "figures"], [(1, 1, figures)]).figures == {}


def test_rows_of_other_columns_are_differences() -> None:
    assert judged(CHECK, ["order_id", "left"], []).state == PASS
    found = judged(CHECK, ["order_id", "price"], [("o-1", 2), ("o-2", 3)])
    assert (found.state, found.told) == (FAIL, "orders: 2 is not 0 (the first: order_id o-1, price 2)")
    assert found.rows == [{"order_id": "o-1", "price": 2}, {"order_id": "o-2", "price": 3}]
    many = judged(CHECK, ["n"], [(n,) for n in range(1_001)])
    assert many.lines[0].left == "more than 1,000" and len(many.rows) == 10


def result(state: str, severity: str = "error", name: str = "c", file: Path | None = None, reason: str = "") -> Result:
    check = Check(name, "", "It holds.", severity=severity, file=file)
    lines = judged(check, ["left", "right"], [(1, 2 if state == FAIL else 1)]).lines if state in (PASS, FAIL) else ()
    return Result(check, state, lines, reason, 0.25)


@pytest.mark.parametrize(
    ("state", "severity", "fails"),
    [(PASS, "error", False), (FAIL, "error", True), (ERROR, "error", True), (SKIPPED, "error", False),
     (FAIL, "warning", False), (ERROR, "warning", False)],
)  # fmt: skip
def test_what_fails_the_command(state: str, severity: str, fails: bool) -> None:
    report = Report([result(PASS, name="other"), result(state, severity)], {"facts": Decimal("1.50")})
    assert report.closes is not fails
    if fails:
        with pytest.raises(CheckFailed):
            report.raise_if_open()
    else:
        report.raise_if_open()
    told = json.loads(json.dumps(report.as_json(), default=str))
    assert told["closes"] is not fails and told["facts"] == "1.50" and told["checks"][1]["state"] == state


def test_what_is_said() -> None:
    with pytest.raises(CheckFailed, match=r"^the count does not close: left = right: 1 is not 2$"):
        Report([result(FAIL)], {}).raise_if_open()
    with pytest.raises(CheckFailed, match=r"^check mine fails: left = right: 1 is not 2; check two fails: x\.sql: no$"):
        mine = result(FAIL, name="mine", file=Path("mine.sql"))
        Report([mine, result(ERROR, name="two", file=Path("x.sql"), reason="x.sql: no")], {}).raise_if_open()
    assert Report([result(PASS, name="count")], {}).said() == "the count closes"
    assert Report([result(PASS), result(SKIPPED, name="d")], {}).said() == "1 check passes"
    assert Report([result(PASS), result(PASS, name="d")], {}).said() == "2 checks pass"


def test_junit_is_xml_that_a_parser_reads_whatever_stands_in_it() -> None:
    nasty = 'a <b> & "c" \x00\x1b[31m \ud800 é'
    results = [
        result(PASS, name="good"),
        result(FAIL, name="bad"),
        result(FAIL, "warning", name="warned"),
        result(SKIPPED, name="later", reason="marts.x does not exist yet"),
        result(ERROR, name="broken", file=Path("checks/broken.sql"), reason=nasty),
    ]
    root = ElementTree.fromstring(junit(results))
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    counts = {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped", "time")}
    assert counts == {"name": "ecom_lite check", "tests": "5", "failures": "1", "errors": "1", "skipped": "1", "time": "1.250"}
    cases = {case.get("name"): case for case in suite}
    assert {name: [child.tag for child in case] for name, case in cases.items()} == {
        "good": [], "bad": ["failure"], "warned": ["system-out"], "later": ["skipped"], "broken": ["error"]
    }  # fmt: skip
    assert cases["bad"][0].get("message") == "left = right: 1 is not 2" and "It holds." in (cases["bad"][0].text or "")
    assert cases["later"][0].get("message") == "marts.x does not exist yet"
    message = cases["broken"][0].get("message") or ""
    assert (
        'a <b> & "c"' in message
        and "é" in message
        and "\x1b" not in message
        and cases["broken"].get("file") == "checks/broken.sql"
    )
    assert all(case.get("classname") == "ecom_lite.check" and case.get("time") == "0.250" for case in suite)
