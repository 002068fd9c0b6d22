"""How much disk each store of the data folder takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ..settings.data_dir import KAFKA, LAKE, LOGS, POSTGRES, SPARK

STORES: Final = (KAFKA, POSTGRES, LAKE, SPARK, LOGS)  # folders of the data folder
BLOCK_BYTES: Final = 512  # what st_blocks counts in


def stores_bytes(data_dir: Path) -> dict[str, int]:
    """Bytes on disk by store, those that are there. Walks all their files: some 50 ms for 5,000."""
    return {store: _bytes(data_dir / store) for store in STORES if (data_dir / store).is_dir()}


def _bytes(folder: Path) -> int:
    # A store's own links are followed: where we are root, PostgreSQL's cluster lives where its user may read it.
    total, left = 0, [str(folder), *(str(link) for link in folder.iterdir() if link.is_symlink() and link.is_dir())]
    while left:
        try:
            entries = list(os.scandir(left.pop()))
        except OSError:
            continue  # deleted a moment ago
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                total += entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
            except OSError:
                continue
    return total
