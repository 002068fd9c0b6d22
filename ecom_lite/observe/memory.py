"""How much memory each part of a run takes: its processes and their children, pages that they share counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import psutil

from ..system import proportional_bytes

OWN: Final = "run"  # this process, and whatever it has started that is no part's


def resident_bytes(parts: Mapping[int, str]) -> dict[str, int]:
    """Bytes by part; `parts` are the names by the pid of each part's process. Costs some ms.

    Proportional set size on Linux (a shared page is split among its users), resident set size elsewhere.
    """
    me = psutil.Process()
    names = {me.pid: OWN, **parts}
    total: Counter[str] = Counter()
    for process in [me, *me.children(recursive=True)]:  # parents come before their children
        try:
            name = names.setdefault(process.pid, names.get(process.ppid(), OWN))
            total[name] += memory_bytes(process)
        except psutil.Error:
            continue
    return dict(total)


def memory_bytes(process: psutil.Process) -> int:
    """Its proportional set size on Linux, else its resident set size. Raises psutil.Error."""
    return proportional_bytes(process.pid) or int(process.memory_info().rss)
