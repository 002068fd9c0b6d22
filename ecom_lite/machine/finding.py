"""What the doctor says of one thing."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """`fix` says what to do about one that is not ok."""

    ok: bool
    what: str
    found: str
    fix: str = ""
