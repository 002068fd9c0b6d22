"""A path as a person writes it, as one that holds in any folder."""

from __future__ import annotations

import os
from pathlib import Path


def absolute(path: Path) -> Path:
    """From where the command is given (a server of ours works in another folder); `~` is the user's home. Raises ValueError."""
    try:
        return Path(os.path.abspath(path.expanduser()))
    except RuntimeError:
        raise ValueError(f"nobody has the home {path.parts[0]} here: give a path without it") from None
