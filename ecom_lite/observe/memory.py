"""How much memory each part of a run takes: its processes and their children, pages that they share counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

import psutil

from ..system import proportional_bytes

OWN: Final = "run"  # this process, and whatever it has started that is no part's


def resident_bytes(parts: Mapping[int, str]) -> dict[str, int]:
    """Bytes by part; `parts` are the names by the pid of each part's process. Costs some ms.

    Proportional set size on Linux (a shared page is split among its users), resident set size elsewhere.
    """
    me = psutil.Process()
    total: Counter[str] = Counter()
    for name, process in by_part([me, *me.children(recursive=True)], parts):
        with suppress(psutil.Error):
            total[name] += memory_bytes(process)
    return dict(total)


def by_part(family: Iterable[psutil.Process], parts: Mapping[int, str]) -> Iterator[tuple[str, psutil.Process]]:
    """Each process with its part's name: that of its parent, which comes before it, where it is none's own. Those that have
    ended are left out."""
    names = dict(parts)
    for process in family:
        with suppress(psutil.Error):
            yield names.setdefault(process.pid, names.get(process.ppid(), OWN)), process


def memory_bytes(process: psutil.Process) -> int:
    """Its proportional set size on Linux, else its resident set size. Raises psutil.Error."""
    return proportional_bytes(process.pid) or int(process.memory_info().rss)
