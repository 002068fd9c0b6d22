"""A dead letter as a test looks at it: why, and the record as it was sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

SHOWN_BYTES: Final = 120


@dataclass(frozen=True)
class DeadLetter:
    """A record that was refused. `reason` is one of docs/dead_letters.md; `value` is None for a tombstone."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)

    @classmethod
    def of(cls, row: Sequence[Any]) -> DeadLetter:
        """From the columns of sql/dead.sql."""
        topic, partition, offset, reason, detail, key, value, headers = row
        decoded = [(str(name), None if text is None else base64.b64decode(text)) for name, text in headers]
        return cls(topic, partition, offset, reason, detail, key, value, decoded)

    @property
    def event(self) -> Any:
        """The value as JSON; None where it is none."""
        with suppress(ValueError, RecursionError):  # the latter of one that is too deep
            return json.loads(self.value or b"")
        return None

    def __str__(self) -> str:
        value = b"(no value)" if self.value is None else self.value
        shown = value[:SHOWN_BYTES].decode("utf-8", "backslashreplace") + ("..." if len(value) > SHOWN_BYTES else "")
        return f"{self.partition}:{self.offset} {self.reason}: {self.detail}\n    {shown}"


def listed(letters: Iterable[DeadLetter], limit: int = 10) -> str:
    """For people: some of them, indented."""
    found = list(letters)
    lines = [f"\n  {letter}" for letter in found[:limit]]
    return "".join(lines) + (f"\n  ... and {len(found) - limit} more" if len(found) > limit else "")
