"""Owns the classes that the stream runs inside the JVM: written in Java, compiled there by Janino, as Spark does with its own.

A JVM without a compiler of its own suffices, and executors get the classes as a jar. It is made once, and kept by its source.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from ..errors import StreamError

PACKAGE: Final = "ecom_lite"
SOURCES: Final = ("Judge", "LocalFiles", "Minutes")
_MADE: Final = (2026, 1, 1, 0, 0, 0)  # in the jar, so that the same classes are the same bytes


@cache
def _sources() -> dict[str, str]:
    folder = files(__package__) / "java"
    return {name: (folder / f"{name}.java").read_text("utf-8") for name in SOURCES}


def jar(jvm: Any, *folders: Path) -> Path:
    """The jar of the classes, made in the first of the folders that takes it where none has it. Raises StreamError."""
    name = f"stream-{hashlib.sha256(''.join(_sources().values()).encode()).hexdigest()[:16]}.jar"
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    refused = []
    for folder in folders:
        try:
            return _make(jvm, folder / name)
        except OSError as error:
            refused.append(f"{folder}: {error.strerror or error}")
    raise StreamError(f"Spark's classes cannot be kept: {'; '.join(refused)}")


def _make(jvm: Any, made: Path) -> Path:
    made.parent.mkdir(parents=True, exist_ok=True)
    draft = made.with_name(f"{made.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(draft, "w") as archive:
            for source in _sources().values():
                compiler = jvm.org.codehaus.janino.SimpleCompiler()
                compiler.cook(source)
                for compiled, code in compiler.getBytecodes().items():
                    archive.writestr(zipfile.ZipInfo(f"{compiled.replace('.', '/')}.class", _MADE), bytes(code))
        draft.replace(made)
    finally:
        draft.unlink(missing_ok=True)
    return made


def instance(session: Any, name: str, *arguments: Any) -> Any:
    """A new object of one of the classes, in the JVM of a session that has their jar."""
    jvm = session._jvm
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    found = jvm.java.lang.Class.forName(f"{PACKAGE}.{name}", True, loader)
    constructor = found.getDeclaredConstructors()[0]
    given = session.sparkContext._gateway.new_array(jvm.java.lang.Object, len(arguments))
    for place, argument in enumerate(arguments):
        given[place] = _map(jvm, argument) if isinstance(argument, dict) else argument
    return constructor.newInstance(given)


def _map(jvm: Any, values: dict[str, Any]) -> Any:
    found = jvm.java.util.HashMap()
    for name, value in values.items():
        found.put(name, value)
    return found
