"""Rules of alerts: read from TOML files and checked whole before anything runs; what is wrong is said by file, key and value."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from ..errors import ConfigError, in_words
from ..settings.section import Section
from ..settings.values import READ_DURATION, duration_text
from .bounds import Deviation, Threshold
from .fields import Board, Interval, Name, SecondsOr0, Sql, Switch, Text, one_of

Severity = Literal["info", "warning", "critical"]
LONGEST_SHOWN: Final = 200  # characters of a value that is wrong


class Rule(Section):
    """`question` gives one number; `bounds` say when it is out of them. Times are in seconds.

    Only once the run is up for `after_start_s` is it judged; it fires when it was out of bounds for `for_s`. `every_s` None: as
    the settings say.
    """

    name: Name
    title: Text
    severity: Annotated[Severity, one_of("info", "warning", "critical")]
    question: Sql
    what_to_do: Text
    threshold: Threshold | None = None
    deviation: Deviation | None = None
    unit: Text = ""
    board: Board = ""
    every_s: Annotated[Interval | None, Field(alias="every")] = None
    for_s: Annotated[SecondsOr0, Field(alias="for")] = 0.0
    after_start_s: Annotated[SecondsOr0, Field(alias="after_start")] = 0.0
    window_s: Annotated[float | None, READ_DURATION, Field(alias="window")] = None
    enabled: Switch = True
    _file: Path = PrivateAttr(Path())

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        given = [name for name in ("threshold", "deviation") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"{' and '.join(given) or 'no bounds'}: give one of [threshold] and [deviation]")
        if "window" in self.question.names and self.window_s is None:
            raise ValueError('the question asks for $window, and there is no key window: give one, such as window = "10m"')
        return self

    @property
    def bounds(self) -> Threshold | Deviation:
        bounds = self.threshold or self.deviation
        assert bounds is not None
        return bounds

    @property
    def file(self) -> Path:
        return self._file

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
    try:
        rule = Rule.model_validate(document)
    except ValidationError as error:
        raise ConfigError(f"{file}: {_explain(error)}") from None
    rule._file = file
    return rule


def _explain(error: ValidationError) -> str:
    """One thing that is wrong: a key that there is not comes first, as another may be missing by its typing error."""
    problems = error.errors(include_url=False)
    problem = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
    path = [str(part) for part in problem["loc"]]
    key, value = ".".join(path), problem["input"]
    said = problem["msg"].removeprefix("Value error, ")
    match problem["type"]:
        case "missing":
            return f"there is no {key}: a rule needs it"
        case "extra_forbidden":
            said = f"no such key; {_hint(path[-1], _keys(path[:-1]))}"
        case "model_type":
            said = f"it must be a section, [{key}]"
        case "value_error" if isinstance(value, Mapping):  # of keys that do not go together: it names them itself
            return said
    shown = repr(value)
    return f"{key} = {shown if len(shown) <= LONGEST_SHOWN else f'{shown[:LONGEST_SHOWN]}...'}: {said}"


def _keys(path: list[str]) -> list[str]:
    sections: dict[str, type[Section]] = {"": Rule, "threshold": Threshold, "deviation": Deviation}
    return [field.alias or name for name, field in sections["".join(path)].model_fields.items()]


def _hint(key: str, keys: list[str]) -> str:
    near = get_close_matches(key, keys, 1)
    return f"did you mean {near[0]}?" if near else f"there is {', '.join(keys)}"
