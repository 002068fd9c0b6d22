"""Which locked package has a wheel for which system: asked of the package index, kept for `doctor --platforms` and a page.

`make platforms` asks; `make docs` writes the page from what is kept. No address is: uv knows its index by its own settings.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename
from uv import find_uv_bin

from ecom_lite.machine.platforms import DATA, NAMES, Expected, Package, Platforms, expected, known, rows

from .sbom import ROOT, parts

PAGE: Final = ROOT / "docs" / "platforms.md"
LOCK: Final = ROOT / "requirements.lock"
PYTHONS: Final = ("3.11", "3.12", "3.13")
GLIBC: Final = range(17, 40)
MACOS: Final = range(11, 27)


def ask() -> list[dict[str, Any]]:
    """All files of all packages of the lock, as the index names them."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "pylock.toml"
        subprocess.run(
            [find_uv_bin(), "pip", "compile", "-q", "--universal", "--python-version", PYTHONS[0], "--no-deps",
             "--format", "pylock.toml", str(LOCK), "-o", str(told)], check=True,
        )  # fmt: skip
        packages: list[dict[str, Any]] = tomllib.loads(told.read_text("utf-8"))["packages"]
    return packages


def platforms(told: list[dict[str, Any]]) -> Platforms:
    """Of those that an installation has; Python packages that only the tests need are left out."""
    wanted = {part.name for part in parts() if part.kind == "pypi"}
    found, tags = [], {}
    for package in told:
        if package["name"] in wanted:
            names = [str(wheel["url"]).rpartition("/")[2] for wheel in package.get("wheels", ())]
            tags[package["name"]] = [parse_wheel_filename(name)[3] for name in names]
            found.append(Package(package["name"], package["version"], "sdist" in package, _wheels(tags[package["name"]])))
    oldest = {where: _oldest(where, list(tags.values())) for where in NAMES}
    return Platforms(PYTHONS, oldest, tuple(found))


def _wheels(tags: list[frozenset[Tag]]) -> dict[str, tuple[str, ...]] | str:
    if any(tag.platform == "any" and tag.interpreter.startswith("py3") for each in tags for tag in each):
        return "any"
    newest = {where: list(_systems(where))[-1][1] for where in NAMES}
    return {where: tuple(python for python in PYTHONS if _fits(tags, newest[where], python)) for where in NAMES}


def _fits(tags: list[frozenset[Tag]], system: list[str], python: str) -> bool:
    version = tuple(map(int, python.split(".")))
    ours = {*cpython_tags(version, platforms=system), *compatible_tags(version, f"cp{version[0]}{version[1]}", system)}
    return any(each & ours for each in tags)


def _systems(where: str) -> Iterator[tuple[str, list[str]]]:
    """From the oldest to the newest: what it is called, and the wheels' names for it."""
    if where.startswith("linux"):
        machine = {"linux-x86_64": "x86_64", "linux-arm64": "aarch64"}[where]
        for glibc in GLIBC:
            named = [f"manylinux_2_{number}_{machine}" for number in range(glibc, 4, -1)]
            yield f"glibc 2.{glibc}", [*named, *(f"manylinux{year}_{machine}" for year in ("2014", "2010", "1"))]
    elif where.startswith("macos"):
        for number in MACOS:
            yield f"macOS {number}", list(mac_platforms((number, 0), "arm64"))
    else:
        yield "Windows 10", ["win_amd64"]


def _oldest(where: str, packages: list[list[frozenset[Tag]]]) -> str:
    """The first one that has a wheel of each package that the newest one has a wheel of, for every Python."""
    systems = list(_systems(where))
    counts = {name: sum(_fits(tags, system, python) for tags in packages for python in PYTHONS) for name, system in systems}
    return next(name for name, count in counts.items() if count == counts[systems[-1][0]])


_HEAD: Final = """\
# Systems

<!-- Made by `python -m tests.unit.machine.platforms` from ecom_lite/machine/platforms.json. Do not edit by hand. -->

`ecom_lite doctor --platforms` prints this table and marks the machine that it runs on (`--json` for programs). It is asked of the
package index by `make platforms`, once the lock has changed. Tried by every run of the tests is Linux x86-64. On Linux arm64 and
macOS arm64 a run is *expected* to work: the packages are there, and what Linux alone has is done another way, which the tests
force.

## What not every system has

All of it stands in one module, `ecom_lite/system.py`. `ECOM_LITE_BARE=1` goes without it on Linux, too; a test loads, kills and
goes on with such a run.

| what | on Linux | without it |
|---|---|---|
| children end with the run, also when it is killed | the kernel signals them | a watcher beside each one, told by a pipe |
| PostgreSQL's account where root starts it | `nobody` | `daemon`, or `bin` |
| dbt steps back while the loader wants the cores | priority of a thread | the same priority |
| class archives are made at the lowest priority | `nice`, `ionice` | the same priority |
| a Unix socket in a folder with a long name | `/proc/self/fd` | a link in `/tmp` |
| no two runs that begin at once pick the same port | the name of an abstract socket | the second one fails, and says so |
| engines of a test session keep their files in memory | `/dev/shm` | the temporary folder |
| memory of a part | pages that are shared count in part | resident memory |

Locks (`flock`) and sessions are on Linux and macOS alike. Windows has neither, nor `fork`: there it runs inside WSL 2.

## Packages
"""


def page() -> str:
    found = known()
    header = ["package", "version", *NAMES.values()]
    table = [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows())]
    told = [f"- **{name}**: {_said(expected(where))}." for where, name in NAMES.items()]
    pythons = f"For Python {', '.join(found.pythons)}. *wheel*: ready to install. *source*: built when it is installed."
    return "\n".join([_HEAD, *told, "", pythons, "", *table, ""])


def _said(answer: Expected) -> str:
    return f"{'a run is expected to work' if answer.spark else 'a light run' if answer.light else 'no'}: {answer.why}"


def write(anew: bool) -> None:
    if anew:
        DATA.write_bytes(msgspec.json.format(msgspec.json.encode(platforms(ask())), indent=1) + b"\n")
        known.cache_clear()
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    write("--ask" in sys.argv)
