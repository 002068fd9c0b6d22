"""Gives settings out again: a listing for people, and plain JSON for a worker, which reads it back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ..errors import without_login
from .load import Origins
from .section import Section
from .tree import Settings
from .values import READ_DURATION, Duration, duration_text

DEFAULT: Final = "default"


class Described(NamedTuple):
    """One setting: its dotted name, its value as people write it (secrets masked), where that came from, and what it is for."""

    name: str
    value: str
    origin: str
    meaning: str


def describe(settings: Settings, origins: Origins | None = None) -> list[Described]:
    """Every setting: one registry for docs, `config` and tests."""
    rows: list[Described] = []
    for section_name in Settings.model_fields:
        rows += _of_section(section_name, getattr(settings, section_name), origins or {})
    for name, source in settings.events.sources.items():
        rows += _of_section(f"events.{name}", source, origins or {})
    return rows


def _of_section(section_name: str, section: Section, origins: Origins) -> Iterator[Described]:
    for key, field in type(section).model_fields.items():
        name, value = f"{section_name}.{key}", getattr(section, key)
        if name == "events.sources":
            value = ", ".join(value)  # each is shown as a section
        yield Described(name, _text(value, field), origins.get(name, DEFAULT), field.description or "")


def dump_settings(settings: Settings) -> dict[str, Any]:
    """The whole tree as plain JSON values, secrets included: for a worker's stdin, never for a file or a screen."""
    return dump_sections(settings, list(Settings.model_fields))


def dump_sections(settings: Settings, sections: Collection[str]) -> dict[str, Any]:
    """As `dump_settings`, but only these sections, such as ["kafka", "load"]: nobody is given a secret that is not theirs."""
    return {
        section: {key: _plain(value) for key, value in getattr(settings, section).model_dump().items()} for section in sections
    }


def read_sections(plain: Mapping[str, Any]) -> Settings:
    """What `dump_sections` gave. To read a section that is not in it is an AttributeError, not a default by mistake."""
    settings = Settings.model_validate(plain)
    for missing in Settings.model_fields.keys() - plain.keys():
        del settings.__dict__[missing]
    return settings


def _text(value: Any, field: FieldInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return "***" if value.get_secret_value() else ""
    if READ_DURATION in field.metadata or Duration in get_args(field.annotation):
        return duration_text(value)
    return without_login(str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value
