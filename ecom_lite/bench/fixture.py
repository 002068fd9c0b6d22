"""What the pytest plugin costs a session: seconds to the first test, cold and warm, beside a bare one; per topic; memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Final

from ..contract.events import utc_now
from ..engines.from_settings import jar_cache
from ..errors import EcomLiteError, UsageError
from ..machine.prepare import fetch_jars
from ..settings.tree import Settings
from ..terminal.printing import print_table
from ..terminal.terminal import Terminal
from .machine import machine
from .rig import own_folder
from .start import OURS

NEEDED_BYTES: Final = 2 << 30
TOPICS: Final = 12  # tests of a session, each with a topic of its own
SESSION_S: Final = 300.0
QUIET_S: Final = 300.0  # so long the class archive may take, which the keeper of the first session makes at its end
POLL_S: Final = 0.05
PLUGIN: Final = ("-p", "ecom_lite.testing", "-p", "no:cacheprovider")  # also where its entry point is not installed
KINDS: Final = {
    "cold": "no template, no class archive: the first session on a machine",
    "warm": "the sessions after it",
    "bare": "the same pytest with a test that asks for nothing",
}
CONFTEST: Final = """\
import json, os, time
import pytest

found = {"topic_s": []}

@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef, request):
    began = time.perf_counter()
    try:
        return (yield)
    finally:
        if fixturedef.argname == "ecom_lite_topic":
            found["topic_s"].append(time.perf_counter() - began)

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    found.setdefault("first_test_s", time.time() - float(os.environ["BENCH_BEGAN"]))
    return (yield)

def pytest_sessionfinish():
    with open(os.environ["BENCH_OUT"], "w") as out:
        json.dump(found, out)

@pytest.fixture
def bench_found():
    return found
"""
BARE: Final = "def test_nothing():\n    pass\n"
TESTS: Final = f"""\
import json, os, time
import pytest

LINE = {{"order_id": "A-1", "user_id": 42, "product_id": 7, "product_title": "Cups", "category": "Kitchen", "price": 24.5,
        "quantity": 2, "revenue": 49.0, "timestamp": "2026-01-02T03:04:05Z"}}

@pytest.mark.parametrize("number", range({TOPICS}))
def test_topic(ecom_lite_topic, number, bench_found):
    began = time.perf_counter()
    ecom_lite_topic.send([LINE])
    ecom_lite_topic.assert_facts(1)
    bench_found.setdefault("loaded_s", []).append(time.perf_counter() - began)

def test_memory(bench_found):
    import psutil
    (keeper,) = (each for each in psutil.Process().children() if "ecom_lite.testing.keeper" in each.cmdline())
    folder = json.loads(keeper.cmdline()[-1])["folder"]
    files = [os.lstat(os.path.join(place, name)) for place, _, names in os.walk(folder) for name in names]
    bench_found |= {{"folder": folder, "files": sum(each.st_blocks for each in files) * 512}}
    for process in [psutil.Process(), keeper, *keeper.children(recursive=True)]:
        try:
            memory = process.memory_full_info()
        except psutil.Error:
            continue
        name = "pytest" if process.pid == os.getpid() else "keeper" if process.name().startswith("python") else process.name()
        parts = bench_found.setdefault("memory", {{}}).setdefault(name, [0, 0])
        parts[0] += getattr(memory, "pss", memory.rss)
        parts[1] += memory.rss
"""


def bench_fixture(settings: Settings, terminal: Terminal, *, runs: int, command: str) -> dict[str, Any]:
    """Whole sessions in a project and a cache of their own, each kind `runs` times. Raises EcomLiteError when one fails."""
    if find_spec("pytest") is None:
        raise UsageError("pytest is not installed here: `pip install pytest`")
    began = utc_now()
    fetch_jars(settings, terminal, ["kafka"])
    with own_folder(NEEDED_BYTES) as folder:
        found = _Sessions(settings, folder, terminal).take(runs)
    return {
        **found,
        "runs": runs,
        "began": began.isoformat(timespec="seconds"),
        "took_s": round((utc_now() - began).total_seconds(), 1),
        "command": command,
        "machine": machine(),
    }


class _Sessions:
    def __init__(self, settings: Settings, folder: Path, terminal: Terminal) -> None:
        self._terminal = terminal
        self._cache = folder / "cache"
        self._cache.mkdir()
        (self._cache / "jars").symlink_to(jar_cache(settings).root)
        self._projects = {"bare": folder / "bare", "engines": folder / "engines"}
        for name, tests in (("bare", BARE), ("engines", TESTS)):
            project = self._projects[name]
            project.mkdir()
            (project / "test_it.py").write_text(tests, "utf-8")
            (project / "conftest.py").write_text(CONFTEST, "utf-8")
            (project / "pytest.ini").write_text(f"[pytest]\necom_lite_settings =\n    jars.cache_dir = {self._cache}\n", "utf-8")
        self._out = folder / "found.json"

    def take(self, runs: int) -> dict[str, Any]:
        cold, warm, bare = [], [], []
        for number in range(runs):
            for name in ("cds", "testing"):
                shutil.rmtree(self._cache / name, ignore_errors=True)
            cold.append(self._session("engines", f"cold session {number + 1} of {runs}"))
        for number in range(runs):
            warm.append(self._session("engines", f"warm session {number + 1} of {runs}"))
            bare.append(self._session("bare", f"bare session {number + 1} of {runs}"))
        figures: dict[str, Any] = {"cold": _seconds(cold), "warm": _seconds(warm), "bare": _seconds(bare)}
        base = figures["bare"]["first_test_s"]
        for kind in ("cold", "warm"):
            figures[kind]["to_bare"] = round(figures[kind]["first_test_s"] / base, 2)
        topics = [seconds for session in warm for seconds in session["topic_s"][1:]]  # the first waits for the engines
        loaded = [seconds for session in warm for seconds in session["loaded_s"][1:]]  # and imports its clients
        memory = warm[-1]["memory"]
        return {
            **figures,
            "topic_s": {"median": round(median(topics), 3), "least": round(min(topics), 3), "most": round(max(topics), 3)},
            "send_and_assert_s": round(median(loaded), 3),
            "memory_mb": {name: {"pss": pss >> 20, "rss": rss >> 20} for name, (pss, rss) in memory.items()},
            "memory_pss_mb": sum(pss for pss, _ in memory.values()) >> 20,
            "files_mb": warm[-1]["files"] >> 20,
        }

    def _session(self, project: str, what: str) -> dict[str, Any]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith((OURS, "PYTEST_"))}
        environment |= {"BENCH_OUT": str(self._out)}
        with self._terminal.busy(what):
            environment["BENCH_BEGAN"] = str(time.time())
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", *PLUGIN], cwd=self._projects[project], env=environment,
                capture_output=True, text=True, check=False, timeout=SESSION_S,
            )  # fmt: skip
            if done.returncode != 0:
                raise EcomLiteError(f"a session of the benchmark failed: {done.stdout.strip()[-1500:]}")
            found: dict[str, Any] = json.loads(self._out.read_text("utf-8"))
            if "folder" in found:
                _wait_gone(Path(found["folder"]))
        return found


def _wait_gone(folder: Path) -> None:
    """The keeper's: at the end of a first session it makes the class archive."""
    give_up = time.monotonic() + QUIET_S
    while folder.exists() and time.monotonic() < give_up:
        time.sleep(POLL_S)


def print_fixture(figures: dict[str, Any]) -> None:
    """A row for each kind of session, then a topic's seconds and the memory by part."""
    rows = [
        (kind, at["first_test_s"], f"{at['least_s']} to {at['most_s']}", at.get("to_bare"))
        for kind, at in ((kind, figures[kind]) for kind in KINDS)
    ]
    print_table(["session", "first_test_s", "least to most", "to bare"], rows)
    print("\n" + "\n".join(f"{kind}: {what}" for kind, what in KINDS.items()))
    topic = figures["topic_s"]
    print(f"\na topic: {topic['median']} s ({topic['least']} to {topic['most']}); one event sent, loaded and asserted: ", end="")
    print(f"{figures['send_and_assert_s']} s\n")
    print_table(
        ["process", "pss_mb", "rss_mb"], [(name, each["pss"], each["rss"]) for name, each in figures["memory_mb"].items()]
    )
    print(f"all: {figures['memory_pss_mb']} MB (PSS: what they share is counted once); files: {figures['files_mb']} MB\n")
    on = figures["machine"]
    print(f"{on['cpu']}, {on['cores']} cores, {on['memory_gb']} GB, {on['system']}")
    print(f"{figures['began']}, {figures['took_s']} s: {figures['command']}")


def _seconds(sessions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """From the start of the process to the first test: the middle one, and the extremes."""
    found = [session["first_test_s"] for session in sessions]
    return {"first_test_s": round(median(found), 2), "least_s": round(min(found), 2), "most_s": round(max(found), 2)}
