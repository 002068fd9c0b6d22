"""Every board file keeps to the kinds of the newest Grafana that has them as data; what it draws them with is tests/browser."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk is not installed")

from tests.unit.dashboards.grafana_types import misfits

BOARDS = sorted((Path(__file__).resolve().parents[3] / "grafana" / "dashboards").glob("*.json"))


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_board_has_nothing_that_grafana_s_kinds_do_not_know(path: Path) -> None:
    assert misfits(json.loads(path.read_text("utf-8"))) == []


def _first(document: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(panel for panel in document["panels"] if panel["type"] == kind)
    return found


LOUD = {"type": "text", "title": "T", "id": 99, "options": {"mode": "loud", "content": ""}}
SPOILT: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (lambda board: board.update(refreshs="5s"), "Dashboard has no refreshs"),
    (lambda board: board["panels"][0].update(type="dial"), "no panel of type dial"),
    (lambda board: board["panels"][0].update(title=5), "5 is no str"),
    (
        lambda board: _first(board, "timeseries")["options"]["legend"].update(placement="left"),
        "'left' is not one of bottom, right",
    ),
    (lambda board: _first(board, "timeseries")["fieldConfig"]["defaults"]["custom"].update(lineWith=2), "has no lineWith"),
    (lambda board: _first(board, "stat")["options"].update(graphMode="sparkle"), "'sparkle' is not one of"),
    (lambda board: board.update(templating={"list": [{"name": "x", "type": "pick"}]}), "'pick' is not one of"),
    (lambda board: board["panels"].append({"type": "row", "title": "More", "panels": [LOUD]}), "'loud' is not one of"),
]


@pytest.mark.parametrize(("spoil", "words"), SPOILT)
def test_what_grafana_does_not_know_is_found(spoil: Callable[[dict[str, Any]], None], words: str) -> None:
    (path,) = [each for each in BOARDS if each.stem == "realtime_operations"]
    board = copy.deepcopy(json.loads(path.read_text("utf-8")))
    spoil(board)
    assert any(words in line for line in misfits(board)), misfits(board)
