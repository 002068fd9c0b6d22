"""What tests of whole runs have in common: more patience with the machine than the others need."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
TIMEOUT_S: Final = 480  # a run and some twenty commands beside it, each of which a busy machine may hold up


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """One that has a limit of its own keeps it."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))
