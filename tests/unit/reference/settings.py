"""The text of docs/settings.md, from the tree of settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ecom_lite.settings import values
from ecom_lite.settings.load import NO_FILE, load_settings
from ecom_lite.settings.section import OwnFolder, Section
from ecom_lite.settings.show import describe
from ecom_lite.settings.tree import Settings

HEAD: Final = """# Settings

<!-- Made by `python -m tests.unit.reference` from ecom_lite/settings. Do not edit by hand. -->

Four layers, each before the one that it counts more than: the defaults below; `config.toml` in the folder you are in (or
`--config FILE`), a table for each section; the environment, `ECOM_LITE_<SECTION>__<KEY>`; the options of a verb. `ecom_lite
config` prints what is in force, and where it comes from. A wrong value is named with its file and the reason, and nothing starts.

```toml
[load]
flush_ms = 50       # in the environment: ECOM_LITE_LOAD__FLUSH_MS=50
```

"""
TABLE: Final = "| setting | type | default | what it is |\n|---|---|---|---|\n"
NAMED: Final = (  # how people write a value whose reader says more than its type
    (values.Duration, "time: 60s, 5m, 2h, 90d"),
    (values.Rate, "number, `max` or `natural`"),
    (values.Moment, "time: 2026-01-01T00:00Z"),
    (values.Share, "share: 0.05, 5%"),
    (values.Zone, "time zone"),
    (values.CurrencyCode, "ISO 4217 code"),
    (values.Countries, "list of country codes"),
    (OwnFolder, "folder"),
)
PLAIN: Final = {bool: "true, false", int: "integer", float: "number", str: "text", Path: "path", SecretStr: "text, a secret"}
SIGNS: Final = ((Ge, "ge", "from "), (Gt, "gt", "above "), (Le, "le", "to "), (Lt, "lt", "below "))


def render() -> str:
    """The whole page."""
    shown = {one.name: one for one in describe(load_settings(NO_FILE, env={}))}
    parts = [HEAD]
    for name in Settings.model_fields:
        section = Settings.model_fields[name].annotation
        assert isinstance(section, type) and issubclass(section, Section)
        parts += [f"## {name}\n\n{section.__doc__ + chr(10) + chr(10) if section.__doc__ else ''}{TABLE}"]
        for key, hint, field in fields(section):
            one = shown[f"{name}.{key}"]
            value = _default(field, one.value)
            default = f"`{value}`" if value else ""
            parts.append(f"| `{one.name}` | {_cell(_type(hint, field.metadata))} | {default} | {_cell(one.meaning)} |\n")
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def fields(section: type[Section]) -> Iterator[tuple[str, Any, FieldInfo]]:
    """Name, annotation as it is written, and pydantic's field."""
    hints = get_type_hints(section, include_extras=True)
    for key, field in section.model_fields.items():
        yield key, hints[key], field


def _default(field: FieldInfo, shown: str) -> str:
    """As it is declared: a relative folder is shown by `config` as what it is on this machine."""
    declared = field.get_default()
    if isinstance(declared, Path | bool):
        return str(declared).lower()
    return ", ".join(declared) if isinstance(declared, tuple) else _cell(shown)


def _type(hint: Any, notes: list[Any]) -> str:
    for named, words in NAMED:
        if hint == named:
            return words
    if get_origin(hint) in (Union, UnionType):
        parts = [part for part in get_args(hint) if part is not NoneType]
        return ", or ".join([*(_type(part, notes) for part in parts), *(["unset"] if NoneType in get_args(hint) else [])])
    if get_origin(hint) is Annotated:
        inner, *more = get_args(hint)
        return _type(inner, [*(one for note in more for one in getattr(note, "metadata", [note])), *notes])
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if get_origin(hint) is dict:
        return "table"
    return f"{PLAIN[hint]}{_limits(notes)}"


def _limits(notes: list[Any]) -> str:
    found = [f"{words}{getattr(note, name):,}" for kind, name, words in SIGNS for note in notes if isinstance(note, kind)]
    return "".join(f" {limit}" for limit in dict.fromkeys(found))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
