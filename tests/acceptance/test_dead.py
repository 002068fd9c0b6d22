"""`ecom_lite dead` as people use it: beside a live run, then without one; the count closes throughout."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from tests.runs import COMMAND, DEADLINE_S, LightRun, wait_for

EVIL = b'\x1b]0;owned\x07\x1b[2J{"order_id": \xff}'
GOOD: dict[str, Any] = {
    "order_id": "fixed-1", "user_id": 1, "product_id": 1, "product_title": "Mug", "category": "Kitchen", "price": 2.5,
    "quantity": 2, "revenue": 5.0, "timestamp": "2026-01-01T00:00:00Z",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightRun]:
    run = LightRun(tmp_path_factory.mktemp("dead") / "data", "--rate", "20", "--seed", "7")
    try:
        yield run.wait_ready()
    finally:
        run.close()


def answer(run: LightRun, *arguments: str) -> Any:
    said = run.verb("dead", *arguments, "--json")
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def test_letters_are_listed_shown_mended_sent_again_and_purged(run: LightRun, tmp_path: Path) -> None:
    assert "no dead letters in topic ecommerce_events" in run.verb("dead", "list").stdout
    producer = KafkaProducer(bootstrap_servers=run.state["bootstrap"])
    try:
        where = [producer.send("ecommerce_events", value, key=b"1") for value in (EVIL, b"[]")]
        producer.flush()
        evil, array = (f"{sent.partition}:{sent.offset}" for sent in (future.get(DEADLINE_S) for future in where))
    finally:
        producer.close()
    wait_for(lambda: run.state.get("dead") == 2, "both are found")

    found = answer(run, "list")
    assert {entry["reason"]: entry["letters"] for entry in found["reasons"]} == {"not_utf8": 1, "not_an_object": 1}
    table = run.verb("dead", "list").stdout
    assert evil in table and "the bytes are not UTF-8" in table and "\x1b" not in table

    shown = run.verb("dead", "show", evil)
    assert shown.returncode == 0 and all(line.isprintable() for line in shown.stdout.splitlines())
    assert r"\x1b]0;owned\x07\x1b[2J" in shown.stdout and r"\xff" in shown.stdout
    raw = subprocess.run([*COMMAND, "dead", "show", evil, "--raw", "--data-dir", str(run.data_dir)], capture_output=True)
    assert (raw.returncode, raw.stdout) == (0, EVIL)
    unknown = run.verb("dead", "show", "3:999999")
    assert unknown.returncode == 1 and unknown.stdout == "" and "no dead letter 3:999999" in unknown.stderr

    refused = run.verb("dead", "resend", evil)
    assert refused.returncode == 1 and "--force" in refused.stderr
    corrected = tmp_path / "corrected.json"
    corrected.write_text(json.dumps(GOOD) + "\n")
    rehearsed = answer(run, "resend", evil, "--value", str(corrected), "--dry-run")
    assert (rehearsed["sent"], rehearsed["would_be_sent"], rehearsed["named"][0]["fate"]) == (0, 1, "would be sent")
    sent = answer(run, "resend", evil, "--value", str(corrected))
    assert sent["sent"] == 1
    wait_for(lambda: run.verb("sql", "--json", "FROM fact_sales WHERE order_id = 'fixed-1'").stdout, "the mended line is a fact")
    assert answer(run, "show", evil)["resent_to"] is not None
    checked = run.verb("check", "--json")
    assert checked.returncode == 0 and json.loads(checked.stdout)["closes"], checked.stdout + checked.stderr

    unasked = run.verb("dead", "purge", "--resent")
    assert unasked.returncode == 2 and "--yes" in unasked.stderr
    assert answer(run, "purge", "--resent", "--yes")["letters"] == 1
    gone = run.verb("dead", "show", evil, "--raw")
    assert gone.returncode == 1 and gone.stdout == "" and "purged" in gone.stderr

    assert run.stop().returncode == 0
    run.wait()
    again = run.verb("dead", "resend", array, "--force")
    assert again.returncode == 0 and "the next `ecom_lite run` loads them" in again.stderr
    listed = answer(run, "list")
    assert listed["letters"] == 2 and {entry["resent_to"] is not None for entry in listed["newest"]} == {True}
