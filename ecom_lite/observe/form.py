"""The form of what a run writes of itself."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1  # goes up when a reader of the old form would misread the new one; a field more is no such change
