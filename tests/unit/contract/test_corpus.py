"""The corpus of hand-made records through `parse`: each has exactly the fate, and the reason, that a user would expect."""

from __future__ import annotations

from collections import Counter

import pytest

from ecom_lite.contract.events import OrderLine, parse
from ecom_lite.contract.rejected import REASONS, Rejected

from .corpus import CASES
from .corpus_base import FACT, NOW, OTHER, Case


def fate(case: Case) -> tuple[str, str]:
    try:
        event = parse(case.value, NOW)
    except Rejected as rejected:
        return rejected.reason, rejected.detail
    return (FACT if isinstance(event, OrderLine) else OTHER), ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_has_its_fate(case: Case) -> None:
    found, detail = fate(case)
    assert found == case.fate, detail
    assert case.says in detail
    assert detail.isprintable() and "\0" not in detail and len(detail.encode()) < 2500
    assert (found in REASONS) == bool(detail)


def test_the_corpus_is_large_has_every_fate_and_no_case_twice() -> None:
    names = Counter(case.name for case in CASES)
    assert len(CASES) >= 300 and not [name for name, count in names.items() if count > 1]
    assert {case.fate for case in CASES} == {FACT, OTHER, *REASONS} - {"refused_by_database"}
