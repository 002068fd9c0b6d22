"""What a row of docs/producers.md is: who sends what, its fate by the contract, and the [events] by which it loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ecom_lite.contract.reader import make_reader
from ecom_lite.contract.rejected import Rejected
from ecom_lite.settings.events import Events

from .corpus_base import FACT, NOW, order

PLAIN: Final = order().replace(b"@ID@", b"42")
NOTHING: Final[Mapping[str, Any]] = {}


class Producer(NamedTuple):
    """`sends` is the part that matters, `fate` and `says` as in the corpus; `by` are the settings of [events] that load it."""

    who: str
    sends: str
    value: bytes
    fate: str = FACT
    says: str = ""
    by: Mapping[str, Any] = NOTHING


def shop(who: str, sends: str, document: Any, by: Mapping[str, Any], fate: str = "missing_field", says: str = "") -> Producer:
    """One whose records have a shape of their own."""
    return Producer(who, sends, json.dumps(document, ensure_ascii=False).encode(), fate, says, by)


def becomes(value: bytes, by: Mapping[str, Any] = NOTHING) -> str:
    """What the loader makes of a record, as a cell of the table."""
    try:
        events = make_reader(Events.model_validate(by))(value, NOW)
    except Rejected as rejected:
        return f"dead letter `{rejected.reason}`: {rejected.detail}".replace("|", r"\|")
    return "loads" if len(events) == 1 else f"loads, as {len(events)} lines"


def settings(by: Mapping[str, Any]) -> str:
    """[events] as it may stand in config.toml, on one line."""
    return "; ".join(f"`{name} = {_toml(value)}`" for name, value in by.items())


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(inside)}" for name, inside in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
