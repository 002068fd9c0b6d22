"""Writes docs/grafana_queries.md from the dashboard files: `python -m ecom_lite.dashboards.docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from .board import Annotation, Board, Panel, Variable
from .boards import load_boards

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ROOT / "grafana" / "dashboards"
PAGE = ROOT / "docs" / "grafana_queries.md"

HEAD = """# The dashboards' queries

<!-- Made by `python -m ecom_lite.dashboards.docs` from grafana/dashboards/*.json. Do not edit by hand. -->

Grafana and the built-in page draw the same files, `grafana/dashboards/*.json`; both run these queries as `ecom_reader`,
which may only read. `$__timeFrom()`, `$__timeTo()` and `$__timeFilter(column)` stand for the chosen time range,
`$__interval_ms` for the width of one point in milliseconds; `$__timeGroupAlias(column, $__interval)` is a point's time;
`${name:sqlstring}` are the chosen values of a variable, on the built-in page as bound parameters.
"""


def render(boards: Iterable[Board]) -> str:
    """The text of docs/grafana_queries.md."""
    parts = [HEAD]
    for board in boards:
        parts.append(f"\n## {board.title}\n")
        parts.append(f"{board.description}\n")
        every = f"{board.refresh_ms // 1000} s"
        name = board.source.name
        parts.append(f"`{name}`, uid `{board.uid}`, {board.start} to {board.end}, drawn anew each {every}.\n")
        parts += [_variable(variable) for variable in board.variables]
        parts += [_annotation(annotation) for annotation in board.annotations]
        parts += [_panel(panel) for panel in board.panels]
    return "\n".join(parts)


def _variable(variable: Variable) -> str:
    how = {"query": "one of its query", "custom": "one of a list", "textbox": "any text"}[variable.type]
    lines = [f"### Variable {variable.label}\n", f"`{variable.name}`, {how}{', or all' if variable.include_all else ''}.\n"]
    if variable.sql:
        lines.append(f"```sql\n{variable.sql}\n```\n")
    return "\n".join(lines)


def _annotation(annotation: Annotation) -> str:
    return f"### Annotation {annotation.name}\n\n```sql\n{annotation.query.raw_sql}\n```\n"


def _panel(panel: Panel) -> str:
    lines = [f"### {panel.title}\n"]
    if panel.description:
        lines.append(f"{panel.description}\n")
    lines.append(f"Panel {panel.id}, {panel.type}.\n")
    lines += [f"```sql\n{query.raw_sql}\n```\n" for query in panel.queries]
    return "\n".join(lines)


def main() -> int:
    """Write the file."""
    PAGE.write_text(render(load_boards(BOARDS).values()), "utf-8")
    sys.stderr.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
