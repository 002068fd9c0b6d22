"""Named checks: one SQL file each, ours and the user's, with a header that says what it proves and how bad a failure is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from ..errors import UsageError, in_words

KEYS: Final = ("description", "left", "right", "severity", "needs")
SEVERITIES: Final = ("error", "warning")
LONGEST: Final = 100_000  # characters of a user's file
_HEADER: Final = re.compile(r"--\s*([A-Za-z_]+)\s*:\s*(.*)")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_NEED: Final = re.compile(r"([a-z_]\w*\.[a-z_]\w*)\s*(?:\(([^)]*)\))?", re.I)
_VALUES: Final = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Check:
    """`sql` gives rows with columns `left` and `right`, which must be equal, or any other rows, each of which is a difference.

    `needs` are relations and their columns: while one is not there, the check is skipped. `file` is that of a user's own check,
    and `problem` what is wrong with it as it stands there.
    """

    name: str
    sql: str
    description: str
    left: str = "left"
    right: str = "right"
    severity: str = "error"
    needs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    file: Path | None = None
    problem: str = ""

    @property
    def values(self) -> frozenset[str]:
        """What ours is given, by name; a user's file is taken as it stands."""
        return frozenset() if self.file is not None else frozenset(_VALUES.findall(self.sql))

    @property
    def needs_broker(self) -> bool:
        return bool(self.values & {"ends", "watermark"})


def parse(name: str, text: str, file: Path | None = None) -> Check:
    """From the comments that the text begins with. Raises UsageError, which names the line."""
    found: dict[str, str] = {}
    first = ""
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if said and not said.startswith("--"):
            break
        match = _HEADER.fullmatch(said)
        key = match[1].lower() if match else ""
        if match and key in KEYS:
            if key in found and key != "needs":
                raise UsageError(f"line {number}: `{key}` stands there twice")
            found[key] = f"{found[key]}, {match[2]}" if key in found else match[2].strip()
        elif match and (near := get_close_matches(key, KEYS, 1)):
            raise UsageError(f"line {number}: `{match[1]}` is no word of the header; did you mean `{near[0]}`?")
        else:
            first = first or said.lstrip("- ").strip()
    if found.get("severity", "error") not in SEVERITIES:
        raise UsageError(f"`severity: {found['severity']}`: give error or warning")
    if not re.sub(r"--[^\n]*|/\*.*?\*/|[\s;]", "", text, flags=re.S):
        raise UsageError("it holds no SQL statement")
    return Check(
        name, text, found.get("description") or first or name, found.get("left") or "left", found.get("right") or "right",
        found.get("severity", "error"), _needs(found.get("needs", "")), file,
    )  # fmt: skip


def _needs(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((need[1], tuple(re.findall(r"\w+", need[2] or ""))) for need in _NEED.finditer(text))


@cache
def built_in() -> tuple[Check, ...]:
    """Ours, in the order in which they are shown."""
    folder = files(__package__).joinpath("sql", "checks")
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(parse(file.name[3:].removesuffix(".sql"), file.read_text(encoding="utf-8")) for file in found)


def own_checks(folder: Path) -> list[Check]:
    """The user's, by name; none where there is no such folder. One that cannot be used has the reason as its `problem`."""
    try:
        found = sorted(file for file in folder.iterdir() if file.suffix == ".sql")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"check.folder: {in_words(error)}") from None
    return [_own(file) for file in found]


def _own(file: Path) -> Check:
    try:
        text = file.read_text(encoding="utf-8-sig")
        if not _NAME.fullmatch(file.stem):
            raise UsageError("a check is named by its file: letters, digits, _ and -, up to 63")
        if any(check.name == file.stem for check in built_in()):
            raise UsageError(f"`{file.stem}` is the name of a built-in check: give the file another one")
        if len(text) > LONGEST:
            raise UsageError(f"it has {len(text):,} characters: at most {LONGEST:,} are read")
        return parse(file.stem, text, file)
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except UsageError as error:
        reason = str(error)
    return Check(file.stem, "", file.stem, file=file, problem=f"{file}: {reason}")


def choose(checks: Sequence[Check], names: Iterable[str]) -> list[Check]:
    """Those of these names, in their own order. Raises UsageError with near names for one that is not there."""
    wanted = list(dict.fromkeys(names))
    there = {check.name for check in checks}
    for name in wanted:
        if name not in there:
            near = get_close_matches(name, there, 3, 0.5)
            known = f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(check.name for check in checks)}"
            raise UsageError(f"--only {name}: no such check; {known}")
    if not wanted:
        raise UsageError("--only: give the names of checks, as in --only count,references")
    return [check for check in checks if check.name in wanted]
