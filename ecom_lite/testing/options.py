"""The options of [tool.pytest.ini_options]: declared once, for the plugin and for docs/testing.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

if TYPE_CHECKING:
    import pytest

NAME: Final = "ecom-lite"
Kind = Literal["string", "linelist"]
N = TypeVar("N", int, float)
# The fixtures' own, whatever anybody says: who sets one would look for it in vain.
FIXED: Final = (
    "run.data_dir", "run.light", "kafka.topic", "kafka.bootstrap", "kafka.security_protocol", "kafka.ssl_cafile", "postgres.url",
)  # fmt: skip
OPTIONS: Final[dict[str, tuple[Kind, Any, str]]] = {
    "ecom_lite_settings": (
        "linelist", [], "settings of ecom_lite for all fixtures, a line each: load.flush_ms = 50 (`ecom_lite config` names them)"
    ),
    "ecom_lite_timeout": ("string", "30", "seconds that wait_loaded and the asserts wait for the loader"),
    "ecom_lite_seed": ("string", "7", "the seed of ecom_lite_events"),
}  # fmt: skip
# A broker and a PostgreSQL of our own, whatever a config.toml or a variable names: it may be a cluster's, with its login.
OWN_KAFKA: Final = {"kafka.bootstrap": "", "kafka.security_protocol": "PLAINTEXT", "kafka.ssl_cafile": ""}
OWN_POSTGRES: Final = {"postgres.url": ""}
NOT_TO_BE_SET: Final = "cannot be set: topic and servers are the fixtures' own (`light_warehouse` takes others)"


def option(config: pytest.Config, name: str) -> Any:
    """Its value; the default where only the fixtures were imported, and no plugin has declared it."""
    try:
        return config.getini(name)
    except (KeyError, ValueError):
        return OPTIONS[name][1]


def number(config: pytest.Config, name: str, kind: Callable[[str], N]) -> N:
    """Of an option that is one, `int` or `float`. Raises pytest.UsageError for what is none, or below 0."""
    text = option(config, name)
    try:
        found = kind(text)
    except ValueError:
        found = kind("-1")
    if not isfinite(found) or found < 0:
        import pytest

        raise pytest.UsageError(f"{name} = {text!r}: a number from 0 on, such as {OPTIONS[name][1]}")
    return found


def flags_of(config: pytest.Config) -> dict[str, str]:
    """ecom_lite_settings, by dotted name. Raises pytest.UsageError for a line that is no setting, or none of the session's."""
    flags = {}
    for line in option(config, "ecom_lite_settings"):
        name, equals, value = (part.strip() for part in line.partition("="))
        wrong = "is not section.setting = value" if not equals or "." not in name else ""
        if name in FIXED:
            wrong = NOT_TO_BE_SET
        if wrong:
            import pytest

            raise pytest.UsageError(f"ecom_lite_settings: {line!r} {wrong}")
        flags[name] = value
    return flags


def require_good(config: pytest.Config) -> None:
    """Raises pytest.UsageError for an option that is none, at the start of a session and not in each worker of it."""
    flags_of(config)
    number(config, "ecom_lite_timeout", float)
    number(config, "ecom_lite_seed", int)


def as_set(message: str, marked: Iterable[str]) -> str:
    """A ConfigError's, that says of each setting where it was set here; `marked` are those of the test's own marker."""

    def where(found: re.Match[str]) -> str:
        is_marked = any(f"{found[1]}.".startswith(f"{name}.") for name in marked)
        return f"{'@pytest.mark.ecom_lite' if is_marked else 'ecom_lite_settings'}: {found[1]}"

    return re.sub(r"^option --\S+: ([\w.]+)", where, message, flags=re.MULTILINE)
