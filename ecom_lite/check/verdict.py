"""What came of the checks: the lines of each, whether it passes, and the report that `check` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from ..errors import CheckFailed
from .facts import FromLake
from .named import Check

PASS: Final = "pass"
FAIL: Final = "fail"
SKIPPED: Final = "skipped"
ERROR: Final = "error"  # it could not be run: that fails, too
SHOWN_ROWS: Final = 10
COUNTED_ROWS: Final = 1_000


@dataclass(frozen=True)
class Line:
    """One equation: `left` must equal `right`; where that is still growing, `left` is the range that `right` must lie in."""

    name: str
    left: object
    right: object
    closes: bool
    note: str = ""

    def __str__(self) -> str:
        against = f" is not {self.right}" if self.right != "" else ""
        return f"{self.name}: {self.left}{against}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True)
class Result:
    """Of one check. `reason` says why it was skipped or could not be run; `rows` are the first that differ."""

    check: Check
    state: str
    lines: Sequence[Line] = ()
    reason: str = ""
    seconds: float = 0.0
    rows: Sequence[Mapping[str, Any]] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fails(self) -> bool:
        """Whether it fails the command: a warning does not."""
        return self.state in (FAIL, ERROR) and self.check.severity == "error"

    @property
    def told(self) -> str:
        """Why it does not pass, in one line."""
        return self.reason or "; ".join(str(line) for line in self.lines if not line.closes)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.check.name,
            "description": self.check.description,
            "severity": self.check.severity,
            "state": self.state,
            "seconds": round(self.seconds, 4),
            **({"file": str(self.check.file)} if self.check.file else {}),
            **({"reason": self.reason} if self.reason else {}),
            "lines": [asdict(line) for line in self.lines],
            **({"rows": [dict(row) for row in self.rows]} if self.rows else {}),
        }


@dataclass(frozen=True)
class Report:
    """What `check` prints. `figures` are the raw counts; `from_lake` says that the facts are the lake's, and how old that is."""

    results: Sequence[Result]
    figures: dict[str, Any]
    from_lake: FromLake | None = None

    @property
    def lines(self) -> list[Line]:
        return [line for result in self.results for line in result.lines]

    @property
    def closes(self) -> bool:
        return not any(result.fails for result in self.results)

    def as_json(self) -> dict[str, Any]:
        checks = [result.as_json() for result in self.results]
        of_lake = {} if self.from_lake is None else {"from_lake": self.from_lake.as_json()}
        return {
            "closes": self.closes,
            **self.figures,
            **of_lake,
            "lines": [asdict(line) for line in self.lines],
            "checks": checks,
        }

    def said(self) -> str:
        """One sentence for the end, where nothing fails."""
        of_lake = "" if self.from_lake is None else f" ({self.from_lake})"
        if any(result.check.name == "count" for result in self.results):
            return f"the count closes{of_lake}"
        count = sum(result.state == PASS for result in self.results)
        return f"{count} check{'' if count == 1 else 's'} pass{'es' if count == 1 else ''}{of_lake}"

    def raise_if_open(self) -> None:
        """CheckFailed naming the lines that do not close, and the checks that could not be run."""
        failing = [result for result in self.results if result.fails]
        if not failing:
            return
        if all(result.check.file is None for result in failing):
            raise CheckFailed("the count does not close: " + "; ".join(result.told for result in failing))
        raise CheckFailed("; ".join(f"check {result.check.name} fails: {result.told}" for result in failing))


def judged(check: Check, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Result:
    """From what its SQL gave. Beside `left` and `right` there may be `up_to` (left is a range up to it), `line` (the name),
    `note`, `closes` (where equality is not the question) and `figures`.
    """
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    if not {"left", "right"} <= set(columns):
        line = _rows_line(check, found)
        return Result(check, PASS if line.closes else FAIL, [line], rows=found[:SHOWN_ROWS])
    lines = [_equation(check, row) for row in found]
    figures: dict[str, Any] = {}
    for row in found:
        figures |= (row.get("figures") or {}) if check.file is None else {}  # a user's column of that name is a column
    return Result(check, PASS if all(line.closes for line in lines) else FAIL, lines, figures=figures)


def _equation(check: Check, row: Mapping[str, Any]) -> Line:
    left, right, note = row["left"], row["right"], str(row.get("note") or "")
    name = str(row.get("line") or f"{check.left} = {check.right}")
    up_to = row.get("up_to")
    if up_to is None or up_to == left:
        closes = left is not None and left == right
        shown = left
    else:
        closes = _within(left, right, up_to)
        shown, note = f"{left} .. {up_to}", note or "still growing"
    if row.get("closes") is not None:
        closes = bool(row["closes"])
    return Line(name, shown, right, closes, note)


def _within(least: Any, value: Any, most: Any) -> bool:
    """What cannot be compared (a null, a text with a number, NaN) is within no range."""
    try:
        return bool(least <= value <= most)
    except (TypeError, ArithmeticError):
        return False


def _rows_line(check: Check, found: Sequence[Mapping[str, Any]]) -> Line:
    name = check.left if check.left != "left" else "rows that differ"
    left: object = len(found) if len(found) <= COUNTED_ROWS else f"more than {COUNTED_ROWS:,}"
    first = ", ".join(f"{column} {value}" for column, value in found[0].items()) if found else ""
    return Line(name, left, 0, not found, f"the first: {first}" if first else "")
