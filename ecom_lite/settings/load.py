"""Reads the settings: defaults < config.toml < ECOM_LITE_SECTION__KEY < options, and remembers where each value came from."""

from __future__ import annotations

import logging
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from ..errors import ConfigError
from .seen import CONFIG_FILE, ENV_PREFIX
from .tree import Settings

_SECTION: Final = re.compile(r"\s*\[\s*([\w.-]+)\s*\]")
_KEY: Final = re.compile(r"\s*([\w.-]+)\s*=")

NO_FILE: Final = Path(os.devnull)  # given as a config file: none is read, ./config.toml neither
OWN_FOLDERS: Final = (("check", "folder"), ("alerts", "folder"), ("dashboards", "folder"), ("transform", "project"))
SECRET: Final = ("password", "url", "webhook")  # in the name of a setting: its value is not told

# Settings of earlier versions, and what to do instead: a file that names one goes on working.
RETIRED: Final = {"spark.lake": "lake.raw_days says how long raw records are kept, with and without Spark (0: not at all)"}
log = logging.getLogger("ecom_lite.settings")

Origins = Mapping[str, str]  # dotted name -> `config.toml:12`, `environment ECOM_LITE_SHOP__RATE`, `option --rate`


def load_settings(
    config_file: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Merge the four layers. `flags` are dotted names, `{"shop.rate": 200}`; a None means not given.

    `config_file` None means ./config.toml where it exists, NO_FILE none at all. An empty environment variable counts as not
    set. Raises ConfigError.
    """
    return load_with_origins(config_file, env, flags)[0]


def load_with_origins(
    config_file: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> tuple[Settings, Origins]:
    """As `load_settings`, and where each value came from that is no default."""
    path = config_file or Path(CONFIG_FILE)
    if config_file not in (None, NO_FILE) and not path.is_file():
        raise ConfigError(f"--config {path}: no such file")
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if path.is_file():
        _add_file(merged, origins, path)
        _beside(path, merged)
    for name, value in sorted((os.environ if env is None else env).items()):
        if value and name.startswith(ENV_PREFIX):
            _add_variable(merged, origins, name, value)
    for dotted, value in (flags or {}).items():
        if value is not None:
            _put(merged, origins, dotted, value, f"option --{dotted.partition('.')[2].replace('_', '-')}")
    _retire(merged, origins)
    # What makes a path absolute runs only for a section that was given: name them always.
    merged.setdefault("run", {})
    merged.setdefault("check", {})
    try:
        return Settings.model_validate(merged), origins
    except ValidationError as error:
        raise ConfigError(_explain(error, origins)) from None


def _retire(merged: dict[str, Any], origins: dict[str, str]) -> None:
    for dotted, instead in RETIRED.items():
        section, _, key = dotted.partition(".")
        if key in merged.get(section, {}):
            del merged[section][key]
            log.warning("%s: %s has no effect any more: %s", origins.pop(dotted), dotted, instead)


def _add_file(into: dict[str, Any], origins: dict[str, str], path: Path) -> None:
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    lines = _lines(text)

    def place(name: str) -> str:
        return f"{path}:{lines[name]}" if name in lines else str(path)

    for section, values in document.items():
        if not isinstance(values, Mapping):
            raise ConfigError(f"{place(section)}: `{section}` must stand in a section, such as [shop]")
        for key, value in values.items():
            name = f"{section}.{key}"
            into.setdefault(section, {})[key] = value
            origins.update({one: place(one) for one in _names(name, value)})


def _beside(path: Path, into: dict[str, Any]) -> None:
    """The user's own folders are meant from where the file is."""
    for section, key in OWN_FOLDERS:
        default = getattr(Settings.model_fields[section].default, key)
        folder = into.get(section, {}).get(key, default and default.name)
        if isinstance(folder, str):
            into.setdefault(section, {})[key] = Path(folder) if folder.startswith("~") else path.parent / folder


def _names(name: str, value: Any) -> Iterator[str]:
    """It and, of a table such as [events.fields], what is in it."""
    yield name
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield from _names(f"{name}.{key}", inside)


def _lines(text: str) -> dict[str, int]:
    """The line of each `key =`, by its dotted name. (tomllib tells none; what is written in a rarer way has only its file.)"""
    found: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _SECTION.match(line):
            section = f"{match[1]}."
            found.setdefault(match[1], number)
        elif match := _KEY.match(line):
            found.setdefault(section + match[1], number)
    return found


def _add_variable(into: dict[str, Any], origins: dict[str, str], name: str, value: str) -> None:
    rest = name[len(ENV_PREFIX) :].lower()
    if "__" in rest:
        _put(into, origins, rest.replace("__", "."), value, f"environment {name}")
    elif rest.startswith(tuple(f"{section}_" for section in Settings.model_fields)):
        raise ConfigError(f"environment {name}: section and setting are parted by two underscores, as in {ENV_PREFIX}SHOP__RATE")


def _put(into: dict[str, Any], origins: dict[str, str], dotted: str, value: Any, where: str) -> None:
    *tables, key = dotted.split(".")
    for table in tables:
        into = into.setdefault(table, {})
        if not isinstance(into, dict):
            raise ConfigError(f"{where}: {dotted}: no such setting; `ecom_lite config` lists them all")
    into[key] = value
    origins[dotted] = where


def _explain(error: ValidationError, origins: Origins) -> str:
    lines = []
    for problem in error.errors():
        path = [str(part) for part in problem["loc"]]
        said = problem["msg"].removeprefix("Value error, ")
        if not path:  # of settings that do not go together: it names them itself
            lines.append(f"{origins.get(said.partition(' ')[0], 'defaults')}: {said}")
            continue
        if path[:2] == ["events", "sources"]:
            del path[1]
        dotted = next((name for end in range(len(path), 2, -1) if (name := ".".join(path[:end])) in origins), ".".join(path[:2]))
        where = origins.get(dotted) or next((w for name, w in origins.items() if name.startswith(path[0] + ".")), "defaults")
        if problem["type"] == "extra_forbidden":
            lines.append(f"{where}: {dotted}: no such setting; `ecom_lite config` lists them all")
            continue
        if problem["type"] == "missing":
            lines.append(f'{where}: [{".".join(path[:-1])}] is a further source of events, and needs {path[-1]} = "..."')
            continue
        if len(path) == 1 and isinstance(problem["input"], Mapping):  # of one section's settings: it names them itself
            name = f"{path[0]}.{said.partition(' ')[0]}"
            lines.append(f"{origins.get(name, where)}: {path[0]}: {said}")
            continue
        value = "***" if any(word in dotted for word in SECRET) else repr(problem["input"])
        lines.append(f"{where}: {dotted} = {value}: {said}")
    return "\n".join(dict.fromkeys(lines))
