"""The files that come with the program, as files of the user's own: written, compared after an upgrade, brought up to it."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from .. import __version__
from ..errors import UsageError, in_words
from ..settings.bundled import bundled
from ..settings.data_dir import write_plain
from ..settings.tree import Settings

CONFIG: Final = "config.toml"
NOTE: Final = ".ecom_lite-shipped.json"  # beside config.toml: what was written, to tell whose change one is
# What `init` switches on in config.toml, so that a run takes these files.
SWITCHED_ON: Final = (
    ("check", "folder"), ("dashboards", "folder"), ("alerts", "folder"), ("transform", "project"),
)  # fmt: skip
_SOURCES: Final = {"alerts": "alerts", "dashboards": "grafana/dashboards", "dbt_project": "dbt_project"}
_NOT_SHIPPED: Final = {"target", "logs", "dbt_packages", "__pycache__"}
_PROJECT: Final = "dbt_project/dbt_project.yml"
_OWN_MODELS: Final = """\
    own: # models of your own: no contract, made anew by each run of dbt; as they grow, do as the marts do
      +materialized: table
"""
_EXAMPLES: Final = {
    "checks/nothing_for_free.sql": """\
-- description: Nothing is sold below one cent.
-- severity: warning
-- left: lines that are nearly free
SELECT order_id, unit_price FROM warehouse.order_lines WHERE unit_price < 0.01
""",
    "dbt_project/models/own/sold_by_title.sql": """\
-- An example of a model of your own: it is marts.sold_by_title. A file here is a table of its name.
SELECT product_title, sum(quantity) AS sold FROM {{ ref('stg_sales') }} GROUP BY product_title
""",
}

What = Literal["same", "yours", "theirs", "both", "new", "dropped", "deleted"]
# Of each, what has happened since the files were written; those of MOVED are what an upgrade has brought.
MEANING: Final[Mapping[What, str]] = {
    "same": "as it comes with this version",
    "yours": "you have changed it",
    "theirs": "this version has changed it, and you have not",
    "both": "you have changed it, and so has this version",
    "new": "comes with this version, and is not here",
    "dropped": "does not come with this version any more",
    "deleted": "you have deleted it",
}
MOVED: Final = frozenset({"theirs", "both", "new", "dropped"})


class Compared(NamedTuple):
    """One file, by its path below the folder."""

    file: str
    what: What


def write(folder: Path) -> list[str]:
    """Write all of them to `folder` and return their names. Raises UsageError, and writes nothing, where one is there."""
    files = shipped()
    there = [name for name in files if (folder / name).exists()]
    if there:
        more = f" and {len(there) - 1} more are" if len(there) > 1 else " is"
        advice = "`ecom_lite diff` compares them" if (folder / NOTE).exists() else "name a folder that has none of them"
        raise UsageError(f"{folder / there[0]}{more} there already, nothing was written: {advice}")
    for name, text in files.items():
        _write(folder / name, text)
    _write_note(folder, files)
    return list(files)


def compare(folder: Path) -> list[Compared]:
    """What differs between the files in `folder` and those of this version. Raises UsageError where `write` wrote none there."""
    return [one for one in _compare(folder, shipped(), _read_note(folder)) if one.what != "same"]


def differences(folder: Path, compared: Sequence[Compared]) -> Iterator[str]:
    """Their lines as a unified diff, from this version's text to the user's."""
    files = shipped()
    for name, _ in compared:
        ours, own = files.get(name, ""), _read(folder / name) or ""
        yield from difflib.unified_diff(
            ours.splitlines(keepends=True), own.splitlines(keepends=True), f"ecom_lite {__version__}/{name}", str(folder / name)
        )


def behind(settings: Settings) -> int:
    """How many files of the user's this version has newer ones of; asked at each start, so it reads only where they are used."""
    own = (settings.transform.project, settings.dashboards.folder, settings.alerts.folder)
    folders = {path.parent for path in own if path is not None and (path.parent / NOTE).is_file()}
    return sum(one.what in MOVED for folder in folders for one in compare(folder))


def update(folder: Path) -> list[Compared]:
    """Take over what only this version has changed, or has new; return that. What the user has changed or deleted stays."""
    files, written = shipped(), _read_note(folder)
    taken = [one for one in _compare(folder, files, written) if one.what in ("theirs", "new")]
    for name, _ in taken:
        _write(folder / name, files[name])
    # Of what both have changed the older text stays noted: it goes on being told until the user has looked at it.
    kept = {one.file for one in _compare(folder, files, written) if one.what == "both"}
    _write_note(folder, files, {name: digest for name, digest in written.items() if name in kept})
    return taken


def shipped() -> dict[str, str]:
    """All of them: name below the folder -> text."""
    files = {CONFIG: switched_on(bundled(CONFIG).read_text("utf-8")), **_EXAMPLES}
    for name, source in _SOURCES.items():
        root = bundled(source.partition("/")[0]).joinpath(*source.split("/")[1:])
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root)
            if path.is_file() and not _NOT_SHIPPED & set(inside.parts) and not path.name.startswith("."):
                files[f"{name}/{inside.as_posix()}"] = path.read_text("utf-8")
    files[_PROJECT] += _OWN_MODELS
    return files


def switched_on(config: str) -> str:
    """The text of config.toml with the settings that name the written folders, which it has as comments."""
    for section, key in SWITCHED_ON:
        config, found = re.subn(rf"(?m)^# (\[{section}\]\n)((?:# .*\n)*?)# ({key} = )", r"\1\2\3", config)
        if found != 1:
            raise ValueError(f"config.toml has no comment with {section}.{key}")
    return config


def _compare(folder: Path, files: Mapping[str, str], written: Mapping[str, str]) -> Iterator[Compared]:
    for name in sorted({*files, *written}):
        own = _read(folder / name)
        yield Compared(name, _what(_digest(own), _digest(files.get(name)), written.get(name, "")))


def _what(own: str, ours: str, written: str) -> What:
    """By the digests of the user's file, of this version's, and of what was written; "" where there is none."""
    if own == ours:
        return "same"
    if not ours:
        return "dropped"
    if not own:
        return "deleted" if written == ours else "new"
    if own == written:
        return "theirs"
    return "yours" if ours == written else "both"


def _digest(text: str | None) -> str:
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {in_words(error) if isinstance(error, OSError) else error}") from None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_plain(path, text)


def _write_note(folder: Path, files: Mapping[str, str], older: Mapping[str, str] | None = None) -> None:
    digests = {name: _digest(text) for name, text in files.items()} | dict(older or {})
    write_plain(folder / NOTE, json.dumps({"version": __version__, "files": digests}, indent=1) + "\n")


def _read_note(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / NOTE).read_text("utf-8"))["files"])
    except FileNotFoundError:
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder") from None
        raise UsageError(
            f"{folder.resolve()}: `ecom_lite init` has written nothing there, so there is nothing to compare"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{folder / NOTE}: cannot be read ({error}): delete it and `ecom_lite init` in an empty folder"
        ) from None
