"""On which systems the locked packages can be installed, and a run is expected to work. The data is made with the lock
(tests/unit/machine/platforms.py) from what the package index says of each version's files."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

DATA: Final = Path(__file__).with_name("platforms.json")
NAMES: Final = {
    "linux-x86_64": "Linux x86-64",
    "linux-arm64": "Linux arm64",
    "macos-arm64": "macOS arm64",
    "windows-x86_64": "Windows x86-64",
}
SPARK: Final = "pyspark"  # a light run does without
_SYSTEMS: Final = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_MACHINES: Final = {"amd64": "x86_64", "aarch64": "arm64"}


class Package(msgspec.Struct, frozen=True):
    """One package of the lock. `wheels` are the Pythons that have a wheel, by platform; "any": one wheel for all of them."""

    name: str
    version: str
    source: bool
    wheels: Mapping[str, tuple[str, ...]] | str

    def on(self, where: str, pythons: tuple[str, ...]) -> str:
        """`wheel`, `wheel for 3.12 3.13`, `source` (built by pip when it is installed) or `none`."""
        found = pythons if isinstance(self.wheels, str) else self.wheels.get(where, ())
        if found == pythons:
            return "wheel"
        return f"wheel for {' '.join(found)}" if found else "source" if self.source else "none"


class Platforms(msgspec.Struct, frozen=True):
    """`oldest` is, by platform, the oldest system that all those wheels are for."""

    pythons: tuple[str, ...]
    oldest: Mapping[str, str]
    packages: tuple[Package, ...]


class Expected(msgspec.Struct, frozen=True):
    """What is expected on a platform, and why."""

    light: bool
    spark: bool
    why: str


@cache
def known() -> Platforms:
    return msgspec.json.decode(DATA.read_bytes(), type=Platforms)


def here() -> str | None:
    """This machine's platform, where it is one of those that are known."""
    machine = platform.machine().lower()
    name = f"{_SYSTEMS.get(sys.platform, sys.platform)}-{_MACHINES.get(machine, machine)}"
    return name if name in NAMES else None


def expected(where: str) -> Expected:
    """By its wheels, and by what the program needs of a system."""
    found = known()
    lacking = {package.name: on for package in found.packages if (on := package.on(where, found.pythons)) != "wheel"}
    if where.startswith("windows"):
        return Expected(
            False, False, "the packages are there, but the program needs a Unix system: run it inside WSL 2, as Linux"
        )
    missing = [name for name, on in lacking.items() if on != "source"]
    if missing:
        return Expected(set(missing) <= {SPARK}, False, f"no wheel of {', '.join(missing)} for every Python")
    built = f"; {', '.join(lacking)} built from source, which is Python and jars only" if lacking else ""
    return Expected(True, True, f"{found.oldest[where]} or newer{built}")


def rows() -> list[list[str]]:
    """The table: a row for each package, and what follows from them."""
    found = known()
    table = [
        [package.name, package.version, *(package.on(where, found.pythons) for where in NAMES)] for package in found.packages
    ]
    answers = {where: expected(where) for where in NAMES}
    light = ["run --light", "", *("yes" if answers[where].light else "no" for where in NAMES)]
    return [*table, light, ["run, with Spark", "", *("yes" if answers[where].spark else "no" for where in NAMES)]]
