"""docs/architecture.md is held against the code: its floors are the import contract's, its walks can be walked."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "ecom_lite"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
STEP = re.compile(r"^\d+\. `(?P<file>[\w/]+\.py): (?P<name>[\w.]+)`(?: \((?P<reached>[^)]+)\))?(?P<text>.*)$", re.MULTILINE)
HANDED_IN = re.compile(r"handed in by (\S+\.py)")
STARTED_BY = re.compile(r"a process started by (\S+\.py)")
ROUTE = re.compile(r"`/(api/[\w/]+)")


class Step(NamedTuple):
    file: str
    name: str
    reached: str  # how, where no import says so
    text: str


def walks() -> dict[str, list[Step]]:
    found = {}
    for part in PAGE.split("\n### ")[1:]:
        title, _, body = part.partition("\n")
        found[title] = [Step(m["file"], m["name"], m["reached"] or "", m["text"]) for m in STEP.finditer(body)]
    return found


WALKS = walks()


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((HOUSE / file).read_text(encoding="utf-8"))


@cache
def imports(file: str) -> frozenset[str]:
    """The files of the house that a file imports, wherever in it the import stands."""
    package = ["ecom_lite", *Path(file).parent.parts]
    names = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - (node.level - 1)] if node.level else []
            module = [*base, *(node.module.split(".") if node.module else [])]
            names |= {".".join(module), *(".".join([*module, alias.name]) for alias in node.names)}
    files = set()
    for name in names:
        parts = name.split(".")
        if parts[0] != "ecom_lite":
            continue
        inside = Path(*parts[1:]) if parts[1:] else Path()
        if (HOUSE / inside).with_suffix(".py").is_file() and parts[1:]:
            files.add(str(inside.with_suffix(".py")))
        elif (HOUSE / inside / "__init__.py").is_file() and file != str(inside / "__init__.py"):
            files |= imports(str(inside / "__init__.py")) if parts[1:] else set()  # what a package's face hands on
    return frozenset(files)


def defines(file: str, name: str) -> bool:
    body: list[ast.stmt] = tree(file).body
    for part in name.split("."):
        found = [
            node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == part
        ]
        if not found:
            return False
        body = found[0].body
    return True


def strings(file: str) -> list[str]:
    return [node.value for node in ast.walk(tree(file)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def reached(steps: list[Step], number: int) -> bool:
    """Whether step `number` is tied to one before it as it says."""
    step, before = steps[number], [one.file for one in steps[:number]]
    if handed := HANDED_IN.fullmatch(step.reached):
        known = imports(handed[1])
        return step.file in known and any(before[-1] in {one, *imports(one)} for one in known)
    if started := STARTED_BY.fullmatch(step.reached):
        module = "ecom_lite." + step.file.removesuffix(".py").replace("/", ".")
        return any(module in strings(file) for file in (started[1], *imports(started[1])))
    if step.reached == "over HTTP":
        route = ROUTE.search(step.text)
        return route is not None and route[1] in strings(before[-1]) and f"/{route[1]}" in strings(step.file)
    assert not step.reached, f"no such way: {step.reached}"
    return any(step.file == earlier or step.file in imports(earlier) or earlier in imports(step.file) for earlier in before)


def test_the_page_has_its_walks() -> None:
    assert len(WALKS) >= 5 and all(len(steps) >= 6 for steps in WALKS.values()), WALKS


@pytest.mark.parametrize("title", WALKS)
def test_each_function_of_a_walk_exists(title: str) -> None:
    missing = [f"{step.file}: {step.name}" for step in WALKS[title] if not defines(step.file, step.name)]
    assert not missing


@pytest.mark.parametrize("title", WALKS)
def test_each_step_of_a_walk_is_reached_from_one_before_it(title: str) -> None:
    steps = WALKS[title]
    apart = [f"{step.file}: {step.name}" for number, step in enumerate(steps) if number and not reached(steps, number)]
    assert not apart


@pytest.mark.parametrize("title", WALKS)
def test_no_file_is_entered_twice_on_a_walk(title: str) -> None:
    files = [step.file for step in WALKS[title]]
    assert len(files) == len(set(files))


def test_a_step_that_is_not_tied_is_found() -> None:
    apart = [Step("simulate/shop.py", "Shop", "", ""), Step("engines/postgres.py", "PostgresServer", "", "")]
    assert not reached(apart, 1)
    assert not defines("simulate/shop.py", "Shop.nothing")


def test_the_floors_are_those_of_the_import_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = [re.split(r"[ |:]+", layer) for layer in contracts[0]["layers"]]
    picture = PAGE.split("```")[1]
    rooms = {room for floor in floors for room in floor}
    assert rooms == {path.name.removesuffix(".py") for path in HOUSE.iterdir() if not path.name.startswith("__")} - {
        path.name for path in HOUSE.iterdir() if path.is_dir() and not (path / "__init__.py").is_file()
    } | {"__main__"}
    places = [
        min(picture.index(f" {room} ") if f" {room} " in picture else picture.index(room) for room in floor) for floor in floors
    ]
    assert places[1:] == sorted(places[1:]), "the picture has the floors in the contract's order"
