"""Whether the account that runs PostgreSQL can reach a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.engines.pgfiles import reaches
from ecom_lite.system import Account

SOMEBODY = Account("somebody", -1, os.getegid())  # reaches what the group may pass through


@pytest.fixture
def shared() -> Iterator[Path]:
    """Not pytest's own folder, which only its user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o710)
        yield Path(folder)


def test_a_link_in_a_closed_folder_is_not_reached_though_its_target_is(shared: Path) -> None:
    (shared / "open").mkdir(mode=0o710)
    closed = shared / "closed"
    closed.mkdir(mode=0o710)
    link = closed / "link"
    link.symlink_to(shared / "open")
    assert reaches(SOMEBODY, shared / "open") and reaches(SOMEBODY, link)
    closed.chmod(0o700)
    assert reaches(SOMEBODY, shared / "open") and not reaches(SOMEBODY, link)


def test_a_link_to_a_closed_folder_is_not_reached(shared: Path) -> None:
    (shared / "closed").mkdir(mode=0o700)
    (shared / "link").symlink_to(shared / "closed")
    assert not reaches(SOMEBODY, shared / "link")
