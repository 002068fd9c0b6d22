"""What is told of a change, on the topic and by webhook: JSON; `python -m ecom_lite.alerts.message` writes its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct


class AlertMessage(Struct, frozen=True, kw_only=True):
    """An alert fires, or is over. Delivered at least once: the same `id` is the same change."""

    version: Literal[1] = 1
    id: int  # ops.alert_changes.change_id
    rule: str
    title: str
    severity: Literal["info", "warning", "critical"]
    state: Literal["firing", "resolved"]
    at: str  # when the change was found, ISO 8601
    since: str  # firing: out of bounds since then; resolved: it had fired since then
    value: float | None  # the number; null where there was none
    unit: str
    told: str  # the number and its bounds, for people
    what_to_do: str
    board: str  # uid of the board to look at; "" for none

    def encoded(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self)


def json_schema() -> dict[str, Any]:
    """JSON Schema of a message."""
    (schema,) = msgspec.json.schema(AlertMessage)["$defs"].values()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def main(file: Path = Path("docs/alert.schema.json")) -> int:
    """Write it."""
    file.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
