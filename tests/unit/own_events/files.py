"""Reads a file of one's own events as the verbs do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ecom_lite.own_events.formats import Format, recognised, records
from ecom_lite.own_events.records import Record
from ecom_lite.own_events.source import opened


def form_of(file: Path) -> Format:
    with opened(str(file), print) as source:
        return recognised(source)


def read(file: Path, form: Format | None = None) -> list[Record]:
    with opened(str(file), print) as source:
        return list(records(source, form or recognised(source)))


def written(folder: Path, content: bytes | str, name: str = "mine") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def documents(found: list[Record]) -> list[Any]:
    return [json.loads(record.value) for record in found if record.value is not None]


def problems(found: list[Record]) -> list[str]:
    return [f"{record.where}: {record.problem}" for record in found if record.problem is not None]
