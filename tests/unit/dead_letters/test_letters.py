"""The verb `dead` without a warehouse: places, safe text, usage errors, and its page in the docs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ecom_lite import cli
from ecom_lite.contract.rejected import REASONS
from ecom_lite.dead_letters.letters import Place
from ecom_lite.dead_letters.safe import shown
from ecom_lite.errors import UsageError

PAGE = Path(__file__).parents[3] / "docs" / "dead_letters.md"


def test_a_place_is_partition_and_offset() -> None:
    assert Place.of("2:17") == (2, 17) and str(Place(2, 17)) == "2:17"
    assert Place.of(f"{2**31 - 1}:{2**63 - 1}").offset == 2**63 - 1


@pytest.mark.parametrize(
    "text", ["", "3", "3:", ":9", "-1:2", "3:9:1", "a:b", "3:9 ", "3:9\n", "٣:٩", "3:9223372036854775808", "2147483648:1"]
)
def test_anything_else_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="PARTITION:OFFSET"):
        Place.of(text)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, "none"),
        (b"", ""),
        (b'{"a": "caf\xc3\xa9"}', '{"a": "café"}'),
        (b"\x1b[2J\x07\x00\r\n\t", r"\x1b[2J\x07\x00\r\n\t"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"\xc2\x9b31m", r"\x9b31m"),  # the one-character CSI
        ("\u202eabc\u2028\ufeff".encode(), r"\u202eabc\u2028\ufeff"),
        ("\U000e0041".encode(), r"\U000e0041"),
    ],
)
def test_bytes_are_shown_without_harm(data: bytes | None, text: str) -> None:
    assert shown(data, 100) == text and text.isprintable()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"x" * 10, "xxxxxxxxxx"),
        (b"x" * 12, "xxxxxxxxxx ... (2 more bytes)"),
        ("éééééé".encode(), "ééééé ... (2 more bytes)"),
        (b"123456789\xc3\xa9", r"123456789\xc3 ... (1 more bytes)"),
    ],
)
def test_long_ones_are_cut_and_the_rest_is_counted(data: bytes, text: str) -> None:
    assert shown(data, 10) == text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "17"], "give PARTITION:OFFSET, such as 2:17"),
        (["show", "1:2", "--raw", "--json"], "give one of them"),
        (["resend"], "which letters?"),
        (["resend", "1:2", "--all"], "which letters?"),
        (["resend", "--all", "--reason", "not_json"], "which letters?"),
        (["resend", "x"], "'x': give PARTITION:OFFSET"),
        (["resend", "--all", "--value", "fix.json"], "--value corrects one letter"),
        (["resend", "1:2", "--value", "nowhere.json"], "--value nowhere.json: No such file"),
        (["resend", "--reason", "typo"], "--reason 'typo': there is empty, too_large"),
        (["list", "--reason", "typo"], "--reason 'typo'"),
        (["purge", "--older-than", "soon"], "--older-than 'soon': give a time such as"),
        (["purge", "--older-than", "0s"], "above 0"),
        (["purge", "--yes"], "which letters?"),
        (["purge", "--all", "--resent", "--yes"], "which letters?"),
        (["list"], "has no data yet: start with `ecom_lite run`"),
    ],
)
def test_wrong_usage_is_said_in_one_message(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ecom_lite", "dead", *arguments, "--data-dir", str(tmp_path / "data")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "") and words in err and len(err.strip().splitlines()) == 1


def test_the_page_has_every_reason_with_its_meaning_and_no_other() -> None:
    rows = [row for row in PAGE.read_text(encoding="utf-8").splitlines() if row.startswith("| `")]
    assert rows == [f"| `{reason}` | {meaning} |" for reason, meaning in REASONS.items()]
