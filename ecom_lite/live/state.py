"""The state file: what other commands may know of a live run (addresses, parts, figures). Written whole, 0600, no password."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..errors import EcomLiteError

STATE_FILE: Final = "state.json"


def write_state(data_dir: Path, state: Mapping[str, Any]) -> None:
    """Replace the file in one step, so that a reader never sees half of it. Raises EcomLiteError where it cannot be written."""
    fresh = data_dir / (STATE_FILE + ".new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(state, file, default=str)
        fresh.replace(data_dir / STATE_FILE)
    except OSError as error:
        raise EcomLiteError(f"the data folder {data_dir} cannot be written any more: {error.strerror}") from None


def read_state(data_dir: Path) -> dict[str, Any]:
    """The last state written, or {} where there is none."""
    try:
        return dict(json.loads((data_dir / STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
