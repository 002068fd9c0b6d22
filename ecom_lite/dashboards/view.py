"""What one viewer looks at: the time range, the variables' values, whether beside the range before. Read from an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from ..errors import DashboardError
from .board import Board
from .timerange import bounds, duration_ms

PREFIX: Final = "var-"
PREVIOUS: Final = "previous"
SLOWEST_MS: Final = 3_600_000


@dataclass(frozen=True)
class View:
    """Equal for all who see the same."""

    start: str
    end: str
    chosen: tuple[tuple[str, tuple[str, ...]], ...] = ()
    compare: bool = False

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """Chosen values by variable; one that is not there is as the board has it."""
        return dict(self.chosen)


def read_view(asked: QueryParams, board: Board) -> View:
    """Grafana's own address: `from`, `to`, `var-NAME` (several times for several values); and `compare`. Variables that the
    board has not are left out: a link from another board takes its own along. Raises DashboardError.
    """
    compare = asked.get("compare", "")
    if compare not in ("", PREVIOUS):
        raise DashboardError(f"compare = {compare[:40]!r}: give {PREVIOUS}, or nothing")
    start, end = bounds(asked.get("from", board.start), asked.get("to", board.end), board.refresh_ms)
    chosen = []
    for variable in board.variables:
        given = asked.getlist(PREFIX + variable.name)
        if given:
            chosen.append((variable.name, tuple(sorted(set(given)))))
    return View(start, end, tuple(chosen), compare == PREVIOUS)


def read_panels(asked: QueryParams, board: Board) -> frozenset[int]:
    """The ids of the panels that a viewer shows, `panels=1,4`; without it all of them. Raises DashboardError."""
    known = frozenset(panel.id for panel in board.panels if panel.queries)
    text = asked.get("panels")
    if text is None:
        return known
    parts = [part for part in text.split(",") if part]
    numbers = {str(number) for number in known}
    wrong = next((part for part in parts if part not in numbers), None)
    if wrong is not None:
        raise DashboardError(f"panels has {wrong[:40]!r}, which is no panel of board {board.uid} with data")
    return frozenset(map(int, parts))


def read_refresh_ms(asked: QueryParams, board: Board) -> int:
    """Milliseconds between two redraws: `refresh`, such as `30s`, but never less than the board's. Raises DashboardError."""
    text = asked.get("refresh", "")
    return min(max(duration_ms(text), board.refresh_ms), SLOWEST_MS) if text else board.refresh_ms
