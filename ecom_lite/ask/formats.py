"""How rows are written for programs and documents: CSV, JSON lines and Markdown; a table for people is `grid`'s."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from ..errors import UsageError

TABLE, CSV, JSON, MARKDOWN, PARQUET = "table", "csv", "json", "markdown", "parquet"
FORMATS: Final = (TABLE, CSV, JSON, MARKDOWN, PARQUET)
ENDINGS: Final = {
    ".csv": CSV, ".json": JSON, ".jsonl": JSON, ".ndjson": JSON, ".md": MARKDOWN, ".markdown": MARKDOWN, ".parquet": PARQUET,
    ".txt": TABLE,
}  # fmt: skip

Rows = Iterable[Sequence[Any]]


def format_named(name: str) -> str:
    """One of FORMATS. Raises UsageError."""
    if name not in FORMATS:
        raise UsageError(f"format {name}: there is {', '.join(FORMATS[:-1])} and {FORMATS[-1]}")
    return name


def format_of(file: Path) -> str:
    """The format that the name of a file asks for. Raises UsageError."""
    found = ENDINGS.get(file.suffix.lower())
    if found is None:
        raise UsageError(f"{file}: which format? Let the name end in {', '.join(ENDINGS)}")
    return found


def text(value: object) -> str:
    """A value as SQL shows it; NULL is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    if isinstance(value, dict):  # a struct, or a map
        return f"{{{', '.join(f'{_within(name)}: {_within(each)}' for name, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_within, value))}]"
    return str(value)


def _within(value: object) -> str:
    return "NULL" if value is None else text(value)


def write_csv(columns: Sequence[str], rows: Rows, out: IO[str]) -> None:
    """With a header; RFC 4180 but for the ends of lines."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([text(value) for value in row] for row in rows)


def write_json(columns: Sequence[str], rows: Rows, out: IO[str]) -> None:
    """One object a line; amounts stay exact, as texts."""
    names = unique(columns)
    for row in rows:
        out.write(json.dumps(dict(zip(names, map(_plain, row), strict=True)), default=text) + "\n")


def write_markdown(columns: Sequence[str], rows: Rows, out: IO[str]) -> None:
    """A table of GitHub's kind."""
    out.write(_markdown_row(columns))
    out.write("|" + "---|" * len(columns) + "\n")
    for row in rows:
        out.write(_markdown_row(row))


WRITERS: Final[Mapping[str, Callable[[Sequence[str], Rows, IO[str]], None]]] = {
    CSV: write_csv, JSON: write_json, MARKDOWN: write_markdown,
}  # fmt: skip


def unique(names: Sequence[str]) -> list[str]:
    """The second `x` is `x_1`: no value is lost under the name of another."""
    taken: dict[str, int] = {}
    found: list[str] = []
    for name in names:
        new = name
        while new in found:
            taken[name] = taken.get(name, 0) + 1
            new = f"{name}_{taken[name]}"
        found.append(new)
    return found


def _plain(value: Any) -> Any:
    """Without what JSON has no word for, at any depth: numbers that are none, names that are no texts."""
    if isinstance(value, dict):
        return {text(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _markdown_row(values: Sequence[Any]) -> str:
    cells = (
        text(value).replace("\\", "\\\\").replace("|", "\\|").replace("\r\n", "\n").replace("\n", "<br>") for value in values
    )
    return f"| {' | '.join(cells)} |\n"
