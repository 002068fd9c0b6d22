"""What a part of a run says of its own health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec import Struct

SILENT_S: Final = 5.0  # who reports once a second and has not for so long is not well


@dataclass(frozen=True)
class Health:
    """`ok`, one line for people, the part's own figures if it has any, and the process that it is."""

    ok: bool
    detail: str = ""
    figures: Struct | None = None
    pid: int | None = None
    done: bool = False  # it had a fixed amount to do, and has done it
