"""`events try` says what would become of each record, `events infer` writes a mapping with which the sample loads."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecom_lite import cli
from ecom_lite.settings.load import load_settings

Verb = Callable[..., tuple[int, str, str]]

PLAIN = {
    "order_id": "A-1", "user_id": 7, "product_id": 42, "product_title": "Mug", "price": 19.99, "quantity": 2,
    "timestamp": "2024-11-24T13:20:00Z",
}  # fmt: skip
ORDERS = [
    {"orderNo": f"A-{number}", "customer": {"id": 7}, "at": "2024-11-24T13:20:00Z", "created": 1732454400,
     "items": [{"sku": "M-1", "name": "Mug", "price": "19.99", "qty": 2}, {"sku": "C-1", "name": "Cup", "price": "5", "qty": 1}]}
    for number in range(3)
]  # fmt: skip


@pytest.fixture
def verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verb:
    """`ecom_lite events ...`: its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ecom_lite", "events", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def written(folder: Path, *documents: Any, name: str = "mine.jsonl") -> str:
    (folder / name).write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in documents))
    return name


def test_a_fact_is_shown_as_it_would_be(verb: Verb, tmp_path: Path) -> None:
    returned = {"event_type": "order_returned", "order_id": "A-1", "product_id": 42, "quantity": 1, "timestamp": 1732454400}
    code, out, _ = verb("try", written(tmp_path, PLAIN, returned))
    rows = [line.split("  ") for line in out.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells[0] == ["order", "customer", "product", "title", "category", "price", "quantity", "revenue", "time"]
    assert cells[2] == ["line 1", "A-1", "7", "42", "Mug", "Uncategorised", "19.99", "2", "39.98", "2024-11-24T13:20:00Z"]
    assert cells[3] == ["line 2", "A-1", "42", "(order_returned)", "1", "2024-11-24T13:20:00Z"]
    assert out.endswith("2 records: 2 load, as 2 events; 0 become dead letters\n")
    assert code == 0


def test_what_dies_is_named_counted_by_reason_and_ends_with_1(verb: Verb, tmp_path: Path) -> None:
    negative = {**PLAIN, "price": -1}
    code, out, _ = verb("try", written(tmp_path, PLAIN, "no", negative, negative, negative), "--limit", "3")
    dying = [line for line in out.splitlines() if " dies: " in line]
    assert [line.partition(": ")[0] for line in dying] == ["line 2 dies", "line 3 dies", "line 4 dies"]
    assert "out_of_range: price -1 is outside" in dying[1]
    assert "5 records: 1 load, as 1 event; 4 become dead letters (out_of_range 3, not_json 1)" in out
    assert "config.toml" not in out, "no mapping would help"
    assert code == 1


def test_a_mapping_is_proposed_that_loads_what_dies_and_it_does(verb: Verb, tmp_path: Path) -> None:
    file = written(tmp_path, *ORDERS)
    code, out, _ = verb("try", file)
    assert code == 1 and "this in config.toml would load 3 of the first 3, not 0:" in out
    (tmp_path / "config.toml").write_text(out[out.index("[events]") :])
    code, out, _ = verb("try", file)
    assert code == 0 and "3 records: 3 load, as 6 events; 0 become dead letters" in out
    assert "A-2" in out and "39.98" in out and "5.00" in out


def test_programs_get_the_same_as_one_object(verb: Verb, tmp_path: Path) -> None:
    code, out, _ = verb("try", written(tmp_path, PLAIN, *ORDERS), "--json")
    told = json.loads(out)
    assert (told["records"], told["loads"], told["events"], told["dies"]) == (4, 1, 1, 3)
    assert told["reasons"] == {"missing_field": 3}
    assert told["loading"][0]["events"][0]["revenue"] == "39.98"
    assert told["dying"][0]["where"] == "line 2" and "orderNo" in told["dying"][0]["detail"]
    assert told["mapping"]["loads"] == 3 and told["mapping"]["events"]["lines"] == "items[]"
    assert code == 1


def test_a_row_that_cannot_be_sent_dies_too(verb: Verb, tmp_path: Path) -> None:
    code, out, _ = verb("try", written(tmp_path, "order_id,user_id", "1,2,3", name="mine.csv"))
    assert code == 1 and "line 2 dies: bad_row: 3 cells, the header has 2" in out


def test_nothing_is_written_and_no_broker_is_asked(verb: Verb, tmp_path: Path) -> None:
    verb("try", written(tmp_path, PLAIN))
    assert [one.name for one in tmp_path.iterdir()] == ["mine.jsonl"]


def test_what_to_try_must_be_said_once(verb: Verb, tmp_path: Path) -> None:
    for arguments in ([], [written(tmp_path, PLAIN), "--topic"], ["mine.jsonl", "--last", "3"]):
        code, _, err = verb("try", *arguments)
        assert code == 2 and "try what?" in err
    code, _, err = verb("try", "--topic", "--last", "3")
    assert code == 2 and "no broker" in err


def test_standard_input_is_tried(verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(written(tmp_path, PLAIN)).open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        code, out, _ = verb("try", "-")
    assert code == 0 and "1 record: 1 load" in out


@pytest.mark.parametrize("documents", [ORDERS, [PLAIN]], ids=["orders", "our own"])
def test_an_inferred_mapping_is_toml_with_which_the_sample_loads(documents: list[Any], verb: Verb, tmp_path: Path) -> None:
    file = written(tmp_path, *documents)
    code, out, err = verb("infer", file)
    assert code == 0 and err == ""
    (tmp_path / "config.toml").write_text(out)
    assert verb("try", file)[0] == 0
    assert load_settings(tmp_path / "config.toml", env={}).events.mapped == (documents is ORDERS)


def test_what_could_not_be_found_is_a_comment_and_ends_with_1(verb: Verb, tmp_path: Path) -> None:
    hostile = {"\x1b[2Jprice": 1}
    file = written(tmp_path, {**{name: value for name, value in PLAIN.items() if name != "quantity"}, **hostile}, PLAIN)
    (tmp_path / file).rename(tmp_path / "a\x1b[2J.jsonl")
    code, out, err = verb("infer", "a\x1b[2J.jsonl")
    assert code == 1 and "1 of 2 records load" in err
    assert "# One that does not: missing_field: " in out and "\x1b" not in out
    file = written(tmp_path, {name: value for name, value in PLAIN.items() if name != "quantity"})
    code, out, err = verb("infer", file)
    assert "# no quantity was found: [events.constants] quantity = 1, if every record is one piece" in out
    assert "not found: quantity" in err


def test_a_sample_without_records_is_refused(verb: Verb, tmp_path: Path) -> None:
    code, _, err = verb("infer", written(tmp_path))
    assert code == 2 and "has no record to go by" in err
