"""Rules of alerts: read from TOML files and checked whole before anything runs; what is wrong is said by file, key and value."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal

from ..errors import ConfigError, in_words
from ..settings.values import duration_s, duration_text
from .bounds import MEASURES, Deviation, Threshold
from .question import Question

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final = ("info", "warning", "critical")
LONGEST_TEXT: Final = 2_000  # characters of a title, a unit, what to do
LONGEST_QUESTION: Final = 20_000
MOST_WEEKS: Final = 52
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_BOARD: Final = re.compile(r"[A-Za-z0-9_-]{0,40}")


@dataclass(frozen=True)
class Rule:
    """`question` gives one number; `bounds` say when it is out of them. Times are in seconds.

    Only once the run is up for `after_start_s` is it judged; it fires when it was out of bounds for `for_s`. `every_s` None: as
    the settings say.
    """

    name: str
    title: str
    severity: Severity
    question: Question
    bounds: Threshold | Deviation
    what_to_do: str
    unit: str = ""
    board: str = ""
    every_s: float | None = None
    for_s: float = 0.0
    after_start_s: float = 0.0
    window_s: float | None = None
    enabled: bool = True
    file: Path = Path()

    @property
    def steps(self) -> bool:
        """Whether its question gives a second number: how far one event moves the first."""
        return isinstance(self.bounds, Deviation) and self.bounds.chance is not None

    def fires(self) -> str:
        """When it fires, for people: `above 5 for 30s`."""
        return f"{self.bounds.shown()}{f' for {duration_text(self.for_s)}' if self.for_s else ''}"


def read_rules(*folders: Path | None) -> list[Rule]:
    """The rules of these folders, by name; one of a later folder takes the place of one with its name in an earlier.

    Those that are not `enabled` are left out. Raises ConfigError, which names file, key, value and what is allowed.
    """
    rules: dict[str, Rule] = {}
    for folder in folders:
        if folder is None:
            continue
        here = _of_folder(folder)
        rules |= here
    return [rules[name] for name in sorted(rules) if rules[name].enabled]


def _of_folder(folder: Path) -> dict[str, Rule]:
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".toml")
    except OSError as error:
        raise ConfigError(f"alerts.folder: {in_words(error)}") from None
    found: dict[str, Rule] = {}
    for file in files:
        rule = read_rule(file)
        if rule.name in found:
            raise ConfigError(f"{file}: name = {rule.name!r}: {found[rule.name].file} has this name: give one of them another")
        found[rule.name] = rule
    return found


def read_rule(file: Path) -> Rule:
    """Raises ConfigError."""
    try:
        text = file.read_text("utf-8-sig")
        document = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(in_words(error)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from None
    return _Reader(file, document).rule()


class _Reader:
    """One document. A reader of a value raises ValueError with what is allowed."""

    def __init__(self, file: Path, document: Mapping[str, Any]) -> None:
        self._file = file
        self._document = document

    def rule(self) -> Rule:
        keys = (*TEXTS, "name", "severity", "question", "every", "for", "after_start", "window", "enabled", *BOUNDS)
        self._refuse_others("", self._document, keys)
        bounds = [name for name in BOUNDS if name in self._document]
        if len(bounds) != 1:
            raise self._wrong(f"{' and '.join(bounds) or 'no bounds'}: give one of [threshold] and [deviation]")
        window_s = self._optional("window", duration_s)
        question = self._required("question", _question)
        if "window" in question.names and window_s is None:
            raise self._wrong('the question asks for $window, and there is no key window: give one, such as window = "10m"')
        return Rule(
            name=self._required("name", _name), severity=self._required("severity", _one_of(SEVERITIES)), question=question,
            bounds=self._threshold() if bounds == ["threshold"] else self._deviation(),
            title=self._required("title", _text), what_to_do=self._required("what_to_do", _text),
            unit=self._optional("unit", _text) or "", board=self._optional("board", _board) or "",
            every_s=self._optional("every", _interval), for_s=self._optional("for", _duration_or_0) or 0.0,
            after_start_s=self._optional("after_start", _duration_or_0) or 0.0, window_s=window_s,
            enabled=self._optional("enabled", _switch) is not False, file=self._file,
        )  # fmt: skip

    def _threshold(self) -> Threshold:
        table = self._table("threshold", ("above", "below"))
        above, below = (self._optional(f"threshold.{key}", _number) for key in ("above", "below"))
        if not table:
            raise self._wrong("[threshold]: give above, below, or both")
        if above is not None and below is not None and below > above:
            raise self._wrong(f"threshold.below = {below:g}: it is more than above = {above:g}, so that no number is well")
        return Threshold(above=above, below=below)

    def _deviation(self) -> Deviation:
        self._table("deviation", ("weeks", "at_least", "measure", "above", "below", "chance"))
        weeks = self._optional("deviation.weeks", _count(1, MOST_WEEKS)) or 4
        above = self._optional("deviation.above", _positive)
        below = self._optional("deviation.below", _negative)
        if above is None and below is None:
            raise self._wrong("[deviation]: give above, below, or both")
        return Deviation(
            weeks=weeks, at_least=self._optional("deviation.at_least", _count(1, weeks)) or min(2, weeks),
            measure=self._optional("deviation.measure", _one_of(MEASURES)) or "percent", above=above, below=below,
            chance=self._optional("deviation.chance", _chance),
        )  # fmt: skip

    def _table(self, name: str, keys: Sequence[str]) -> Mapping[str, Any]:
        table = self._document[name]
        if not isinstance(table, Mapping):
            raise self._wrong(f"{name} = {table!r}: it must be a section, [{name}]")
        self._refuse_others(f"{name}.", table, keys)
        return table

    def _refuse_others(self, prefix: str, table: Mapping[str, Any], keys: Sequence[str]) -> None:
        for key, value in table.items():
            if key not in keys:
                near = get_close_matches(key, keys, 1)
                hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(keys)}"
                raise self._wrong(f"{prefix}{key} = {value!r}: no such key; {hint}")

    def _required(self, name: str, read: Callable[[Any], Any]) -> Any:
        found = self._optional(name, read)
        if found is None:
            raise self._wrong(f"there is no {name}: a rule needs it")
        return found

    def _optional(self, name: str, read: Callable[[Any], Any]) -> Any:
        value: Any = self._document
        for part in name.split("."):
            if part not in value:
                return None
            value = value[part]
        try:
            return read(value)
        except ValueError as error:
            shown = repr(value) if len(repr(value)) < 200 else f"{repr(value)[:200]}..."
            raise self._wrong(f"{name} = {shown}: {error}") from None

    def _wrong(self, what: str) -> ConfigError:
        return ConfigError(f"{self._file}: {what}")


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("give up to 63 of a-z, 0-9 and _, beginning with a letter")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\n" in value.strip() or len(value) > LONGEST_TEXT:
        raise ValueError(f"give one line of text, up to {LONGEST_TEXT:,} characters")
    return value.strip()


def _board(value: Any) -> str:
    if not isinstance(value, str) or not _BOARD.fullmatch(value):
        raise ValueError("give the uid of a board, such as pipeline-health")
    return value


def _question(value: Any) -> Question:
    if not isinstance(value, str) or len(value) > LONGEST_QUESTION:
        raise ValueError(f"give an SQL statement, up to {LONGEST_QUESTION:,} characters")
    return Question(value)


def _duration_or_0(value: Any) -> float:
    return 0.0 if value in (0, "0", "0s") and not isinstance(value, bool) else duration_s(value)


def _interval(value: Any) -> float:
    seconds = duration_s(value)
    if not 1 <= seconds <= 86_400:
        raise ValueError("give a time from 1s to 1d")
    return seconds


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("give true or false")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e18:
        raise ValueError("give a number")
    return float(value)


def _positive(value: Any) -> float:
    number = _number(value)
    if number <= 0:
        raise ValueError("give a number above 0: so much more than usual")
    return number


def _negative(value: Any) -> float:
    number = _number(value)
    if number >= 0:
        raise ValueError("give a number below 0: so much less than usual")
    return number


def _chance(value: Any) -> float:
    number = _number(value)
    if not 1 <= number <= 100:
        raise ValueError("give a number from 1 to 100, such as 4: so many times what counting brings by chance")
    return number


def _count(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"give a whole number from {least} to {most}")
        return int(value)

    return read


def _one_of(allowed: Sequence[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"give {', '.join(allowed[:-1])} or {allowed[-1]}")
        return str(value)

    return read


TEXTS: Final = ("title", "what_to_do", "unit", "board")
BOUNDS: Final = ("threshold", "deviation")
