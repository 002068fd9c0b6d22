"""What holds for all tests: they use the product by its public names only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMED_TUPLE = {"_asdict", "_fields", "_make", "_replace"}  # public, in spite of the underscore


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name.strip("_") != "" and name not in NAMED_TUPLE


def own_names(tree: ast.AST) -> set[str]:
    """What the file itself defines, or sets on `self`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            found.add(node.attr)
    return found


def privates(text: str) -> Iterator[str]:
    """The private names that a test file takes from elsewhere: imported, read from an object, or replaced by monkeypatch."""
    tree = ast.parse(text)
    own = own_names(tree)
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("setattr", "delattr"):
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            names = [part for text in texts for part in text.split(".")]
        yield from (f"line {node.lineno}: {name}" for name in names if is_private(name) and name not in own)  # type: ignore[attr-defined]


def test_no_test_uses_a_private_name() -> None:
    found = {str(file.relative_to(TESTS)): list(privates(file.read_text("utf-8"))) for file in TESTS.rglob("*.py")}
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from ecom_lite.dashboards.queries import _Cache",
        "from ecom_lite._hidden import name",
        "app._meter.measure()",
        "monkeypatch.setattr(room, '_copy', 1)",
        "monkeypatch.setattr('ecom_lite.room._copy', 1)",
    ],
)
def test_a_private_name_is_found(line: str) -> None:
    assert len(list(privates(line))) == 1


@pytest.mark.parametrize("line", ["os.__name__", "case._replace(value=1)", "for _ in x._fields: pass", "self._own = 1\nit._own"])
def test_other_names_are_not_private(line: str) -> None:
    assert list(privates(line)) == []
