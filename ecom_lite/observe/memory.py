"""How much memory a run takes: this process and all its children, pages that they share counted once."""

from __future__ import annotations

from pathlib import Path

import psutil


def run_memory_bytes() -> int:
    """Proportional set size on Linux (a shared page is split among its users), resident set size elsewhere."""
    me = psutil.Process()
    total = 0
    for process in [me, *me.children(recursive=True)]:
        try:
            total += _proportional(process.pid) or process.memory_info().rss
        except psutil.Error:
            continue
    return total


def _proportional(pid: int) -> int | None:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None
