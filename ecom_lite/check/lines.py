"""The lines of the count: one equation each, and the report that `check` prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..errors import CheckFailed


@dataclass(frozen=True)
class Line:
    """One equation: `left` must equal `right`; where that is still growing, `left` is the range that `right` must lie in."""

    name: str
    left: object
    right: object
    closes: bool
    note: str = ""


@dataclass(frozen=True)
class Report:
    """What `check` prints. `figures` are the raw counts."""

    lines: list[Line]
    figures: dict[str, Any]

    @property
    def closes(self) -> bool:
        return all(line.closes for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        return {"closes": self.closes, **self.figures, "lines": [asdict(line) for line in self.lines]}

    def raise_if_open(self) -> None:
        """CheckFailed naming the lines that do not close."""
        wrong = [
            f"{line.name}: {line.left}"
            + (f" is not {line.right}" if line.right != "" else "")
            + (f" ({line.note})" if line.note else "")
            for line in self.lines
            if not line.closes
        ]
        if wrong:
            raise CheckFailed("the count does not close: " + "; ".join(wrong))


def equal(name: str, left: Any, right: Any, note: str = "") -> Line:
    return Line(name, left, right, left == right, note)


def between(name: str, low: int, value: int, high: int, note: str = "still growing") -> Line:
    """Closes when `value` lies within low .. high; `note` says why there is a range, where there is one."""
    if low == high:
        return Line(name, low, value, low == value)
    return Line(name, f"{low} .. {high}", value, low <= value <= high, note)
