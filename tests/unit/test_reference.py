"""The reference pages are what the program says of itself, and miss nothing of it."""

from __future__ import annotations

import re

import pytest
from typer.main import get_command

from ecom_lite.cli import verbs
from ecom_lite.contract.fields import EVENT_TYPES
from ecom_lite.settings.load import NO_FILE, load_settings
from ecom_lite.settings.show import describe
from tests.unit.reference.__main__ import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "run `make docs`"


def test_every_setting_has_its_line() -> None:
    listed = re.findall(r"(?m)^\| `([a-z_]+\.[a-z_]+)` \|", (DOCS / "settings.md").read_text("utf-8"))
    assert listed == [one.name for one in describe(load_settings(NO_FILE, env={}))]


def test_every_verb_has_its_section() -> None:
    titles = re.findall(r"(?m)^## ([a-z]+)", (DOCS / "verbs.md").read_text("utf-8"))
    assert set(titles) == set(get_command(verbs()).commands)  # type: ignore[attr-defined]


def test_every_event_type_has_its_section() -> None:
    titles = re.findall(r"(?m)^## (.+)$", (DOCS / "events.md").read_text("utf-8"))
    assert [kind for title in titles for kind in title.split(", ")] == list(EVENT_TYPES)
