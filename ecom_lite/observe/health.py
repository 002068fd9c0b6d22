"""What a part of a run says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Health:
    """`ok`, one line for people, and figures for programs (plain numbers and strings)."""

    ok: bool
    detail: str = ""
    figures: Mapping[str, object] = field(default_factory=dict)
