"""A plan: what an ordinary refresh does to each model, and what each data test asks, as dbt has written it once.

dbt takes 30 to 70 ms of Python for a model and for a test, whatever they cost the database, and two cores cannot share it. So it
renders the texts once, with tokens where the numbers of a run belong, and a refresh only puts those in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..errors import TransformError

CUT: Final = 9_000_000_000_000_000_001  # stands for the cut in a plan's texts: an id that no transaction gets
WHOLE: Final = "whole"  # the tag of a test that reads all facts, or of a model whose tests do
_TAKEN: Final = re.compile(r"\btaken:(\w+):(\w*):")  # stands for the number in ops.mart_cuts
_BUILT: Final = "incremental"  # what a refresh builds; views stand

Taken = Mapping[tuple[str, str], int]  # (model, part) -> the cut it has kept


@dataclass(frozen=True)
class ModelPlan:
    """The texts of one model, one transaction: `rows` are those that the merge has written."""

    model: str
    after: frozenset[str]  # the models that come first
    hooks_before: Sequence[str]
    create: str
    merge: str
    hooks_after: Sequence[str]


@dataclass(frozen=True)
class TestPlan:
    """One data test: `sql` gives one row, failures and whether that is an error."""

    __test__ = False

    name: str
    model: str  # whose test it is
    reads: frozenset[str]  # the models it reads that are tables
    whole: bool
    sql: str


def fill(text: str, cut: int, taken: Taken) -> str:
    """The text with the numbers of this run. Raises TransformError for a model of which nothing says what it holds, and for one
    that holds more than is below the cut: it would go back, and the next run add the same facts again."""

    def number(found: re.Match[str]) -> str:
        model, part = found[1], found[2]
        if (model, part) in taken:
            if taken[model, part] > cut:
                raise TransformError(f"{model} holds facts up to {taken[model, part]} already, and the cut of this run is {cut}")
            return str(taken[model, part])
        if part:
            return "0"  # declared since: it takes in all facts
        raise TransformError(f"{model} is there, but nothing says which facts it holds: run `ecom_lite refresh --full`")

    return _TAKEN.sub(number, text.replace(str(CUT), str(cut)))


def has_tokens(text: str) -> bool:
    """Whether numbers of ops.mart_cuts belong into the text."""
    return _TAKEN.search(text) is not None


def models_of(results: Sequence[Any], manifest: Any) -> list[ModelPlan]:
    """dbt's results of a run with the variable `plan`."""
    found = {}
    for result in results:
        texts = json.loads(result.message)
        name = str(result.node.name)
        found[name] = ModelPlan(
            name, tables_before(manifest, result.node.unique_id), texts["before"], texts["create"], texts["merge"], texts["after"]
        )
    ordered: list[ModelPlan] = []
    while len(ordered) < len(found):
        done = {model.model for model in ordered}
        ready = [model for name, model in found.items() if name not in done and model.after & found.keys() <= done]
        ordered += ready
    return ordered


def tests_of(results: Sequence[Any], manifest: Any) -> list[TestPlan]:
    """dbt's results of compiling the tests."""
    return [_test(result.node, manifest) for result in results]


def _test(node: Any, manifest: Any) -> TestPlan:
    config = node.config
    bound = config.error_if if str(config.severity).upper() == "ERROR" else "is null"  # a warning is no failure
    limit = f"\nlimit {config.limit}" if config.limit is not None else ""
    # fail_calc and the bound are the project's own words; dbt writes the same query.
    sql = (
        f"select {config.fail_calc} as failures, coalesce({config.fail_calc} {bound}, false) as failed\n"
        f"from (\n{node.compiled_code.strip().rstrip(';')}{limit}\n) dbt_internal_test"
    )
    models = [uid for uid in node.depends_on.nodes if uid in manifest.nodes and uid.startswith("model.")]
    owner = getattr(node, "attached_node", None) or (models[0] if models else "")
    reads: set[str] = set()
    for uid in models:
        reads |= {manifest.nodes[uid].name} if _is_table(manifest, uid) else tables_before(manifest, uid)
    tags, name = set(node.tags or ()), ""
    if owner in manifest.nodes:
        name = manifest.nodes[owner].name
        tags |= set(manifest.nodes[owner].tags or ())
    return TestPlan(node.name, name, frozenset(reads), WHOLE in tags, sql)


def tables_before(manifest: Any, unique_id: str) -> frozenset[str]:
    """The models nearest above a node that are tables: views on the way are looked through."""
    found: set[str] = set()
    for above in manifest.nodes[unique_id].depends_on.nodes:
        if above not in manifest.nodes or not above.startswith("model."):
            continue
        if _is_table(manifest, above):
            found.add(manifest.nodes[above].name)
        else:
            found |= tables_before(manifest, above)
    return frozenset(found)


def _is_table(manifest: Any, unique_id: str) -> bool:
    return str(manifest.nodes[unique_id].config.materialized) == _BUILT
