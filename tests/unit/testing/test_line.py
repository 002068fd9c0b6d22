"""What is said between test processes and the keeper comes over as what it was, exact amounts too."""

from __future__ import annotations

from decimal import Decimal
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.check.named import Check
from ecom_lite.check.verdict import Line, Report, Result
from ecom_lite.testing.line import hear, result, say
from ecom_lite.transform import DbtRun
from ecom_lite.transform.results import ModelRun

CHECK = Check("mine", "SELECT 1", "what it proves", needs=(("marts.daily_sales", ("revenue",)),), file=Path("checks/mine.sql"))
LINES = [Line("sums", Decimal("49.00"), Decimal("48.9999"), False, "a note"), Line("range", [1, 2], None, True)]
REPORT = Report([Result(CHECK, "fail", LINES, rows=[{"order_id": "A-1", "revenue": Decimal("1E-4")}])], {"facts": 2})
RUN = DbtRun(3, "refresh", "success", 0.5, 2, 1, 0, "", 77, selected=["a"], by_model=[ModelRun("a", 0.1, None)])


def over(message: Any) -> Any:
    here, there = Pipe()
    with here, there:
        say(here, message)
        return hear(there)


@pytest.mark.parametrize(("sent", "kind"), [(REPORT, Report), (RUN, DbtRun)], ids=["report", "run"])
def test_a_result_is_what_it_was(sent: Any, kind: type[Any]) -> None:
    name, answer = over(("", sent))
    found = result(answer, kind)
    assert name == "" and found == sent and str(found) == str(sent)


def test_a_question_comes_in_plain_types() -> None:
    assert over(("open", "", {"jars.cache_dir": Path("/tmp/x"), "shop.rate": Decimal("1.50"), "run.light": True})) == [
        "open", "", {"jars.cache_dir": "/tmp/x", "shop.rate": Decimal("1.50"), "run.light": True},
    ]  # fmt: skip


def test_who_has_gone_is_noticed() -> None:
    here, there = Pipe()
    here.close()
    with there, pytest.raises(EOFError):
        hear(there)
