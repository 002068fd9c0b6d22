"""How long a run takes until it is ready, part by part: on a new data folder and on one that is there, cold and warm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from msgspec import structs

from ..contract.events import utc_now
from ..engines.from_settings import jar_cache, jar_groups, kafka_server, spark_gateway
from ..engines.registry import ChildRegistry
from ..errors import EcomLiteError
from ..live.state import read_state
from ..machine.prepare import fetch_jars
from ..machine.reset import reset_data
from ..settings.data_dir import CHILDREN
from ..settings.tree import Settings
from ..terminal.printing import print_table
from ..terminal.terminal import Terminal
from .machine import machine
from .rig import isolated, own_folder

NEEDED_BYTES: Final = 2 << 30
OURS: Final = "ECOM_LITE_"  # variables of the environment that are settings: a run of the benchmark has none of the user's
KINDS: Final = {
    "cold": "a new data folder on a machine without class archives: the first start there",
    "warm": "a new data folder with class archives",
    "again": "the same data folder once more",
}


class Start(NamedTuple):
    """Seconds from the birth of the process to `ready`, and of each part from its start to its own ready."""

    ready_s: float
    parts_s: dict[str, float]


def bench_start(settings: Settings, terminal: Terminal, *, runs: int, light: Sequence[bool], command: str) -> dict[str, Any]:
    """Whole runs that end as soon as they are ready, each `runs` times. Raises EcomLiteError when one fails."""
    began = utc_now()
    fetch_jars(settings, terminal, ["kafka", "spark"])
    with own_folder(NEEDED_BYTES) as folder:
        with_spark = {
            "light" if each else "spark": _Measured(settings, folder, terminal, light=each).take(runs) for each in light
        }
    return {
        **with_spark,
        "runs": runs,
        "began": began.isoformat(timespec="seconds"),
        "took_s": round((utc_now() - began).total_seconds(), 1),
        "command": command,
        "machine": machine(),
    }


def print_start(figures: dict[str, Any]) -> None:
    """A row for each kind of start, then its parts."""
    found = [(mode, kind, figures[mode][kind]) for mode in ("light", "spark") if mode in figures for kind in KINDS]
    rows = [
        (mode, kind, at["ready_s"], f"{at['least_s']} to {at['most_s']}", "  ".join(f"{n} {s}" for n, s in at["parts_s"].items()))
        for mode, kind, at in found
    ]
    print_table(["", "start", "ready_s", "least to most", "seconds of each part"], rows)
    print("\n" + "\n".join(f"{kind}: {what}" for kind, what in KINDS.items()))
    on = figures["machine"]
    print(f"{on['cpu']}, {on['cores']} cores, {on['memory_gb']} GB, {on['system']}")
    print(f"{figures['began']}, {figures['took_s']} s: {figures['command']}")


class _Measured:
    """Starts with Spark or without, on a jar cache whose jars are the user's and whose archives are its own."""

    def __init__(self, settings: Settings, folder: Path, terminal: Terminal, *, light: bool) -> None:
        self._terminal = terminal
        self._cache = folder / ("cache-light" if light else "cache-spark")
        self._cache.mkdir()
        (self._cache / "jars").symlink_to(jar_cache(settings).root)
        self._folder = folder
        own = isolated(settings, folder)
        run, jars = own.run.model_copy(update={"light": light}), own.jars.model_copy(update={"cache_dir": self._cache})
        self._settings = own.model_copy(update={"run": run, "jars": jars})

    def take(self, runs: int) -> dict[str, Any]:
        cold = [self._fresh(f"cold start {n + 1} of {runs}", keeps_lists=n == runs - 1) for n in range(runs)]
        self._make_archives()
        warm, again = [], []
        for n in range(runs):
            warm.append(self._fresh(f"warm start {n + 1} of {runs}"))
            again.append(self._start("the same folder again"))
        self._reset()
        return {"cold": _figures(cold), "warm": _figures(warm), "again": _figures(again)}

    def _fresh(self, what: str, *, keeps_lists: bool = True) -> Start:
        self._reset()
        found = self._start(what)
        if not keeps_lists:
            for file in (self._cache / "cds").glob("*"):
                if file.is_file():
                    file.unlink()
        return found

    def _start(self, what: str) -> Start:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        environment |= {"ECOM_LITE_JARS__CACHE_DIR": str(self._cache), "ECOM_LITE_GRAFANA__ENABLED": "false"}
        data_dir = self._settings.data_dir
        light = ["--light"] if self._settings.run.light else []
        command = [sys.executable, "-m", "ecom_lite", "run", *light, "--events", "0", "--json", "--data-dir", str(data_dir)]
        with self._terminal.busy(f"{what}, {'without' if light else 'with'} Spark"):
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=self._folder)
        state = read_state(data_dir)
        if done.returncode != 0 or state is None:
            raise EcomLiteError(f"a run of the benchmark failed: {done.stderr.strip()[-500:]}")
        parts = {name: structs.asdict(part)["seconds"] for name, part in state.parts.items()}
        return Start(json.loads(done.stdout)["ready_s"], parts)

    def _make_archives(self) -> None:
        registry = ChildRegistry(self._folder / CHILDREN)
        kafka = kafka_server(self._settings, registry)
        servers = [kafka, *([spark_gateway(self._settings, registry)] if "spark" in jar_groups(self._settings) else [])]
        for server in servers:
            assert server is not None
            with self._terminal.busy(f"making {server.name}'s class archive"):
                if not server.build_archive():
                    raise EcomLiteError(f"{server.name} has not listed enough classes for an archive: see {server.log}")

    def _reset(self) -> None:
        reset_data(self._settings, keep_grafana=False)


def _figures(starts: Sequence[Start]) -> dict[str, Any]:
    """The middle one of each."""
    return {
        "ready_s": round(median(start.ready_s for start in starts), 1),
        "least_s": min(start.ready_s for start in starts),
        "most_s": max(start.ready_s for start in starts),
        "parts_s": {name: round(median(start.parts_s.get(name, 0.0) for start in starts), 1) for name in starts[0].parts_s},
    }
