"""A file's form is recognised by its first bytes and its ending; what is compressed is unpacked, what cannot be read is named."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import zstandard

from ecom_lite.errors import EcomLiteError, UsageError
from ecom_lite.own_events.formats import format_of

from .files import documents, form_of, problems, read, written

LINES = b'{"a": 1}\n{"a": 2}\n'


@pytest.mark.parametrize(
    ("content", "name", "form"),
    [
        (b'{"a": 1}\n', "mine", "jsonl"),
        (b'\n\n  {"a": 1}', "mine.txt", "jsonl"),
        (b"\xef\xbb\xbf" + b'{"a": 1}\n', "mine", "jsonl"),
        (b'[{"a": 1}]', "mine", "json"),
        (b'\n [\n{"a": 1}]', "mine.jsonl", "json"),
        (b'{\n  "a": 1\n}\n', "mine.json", "json"),
        (b'{"items": [\n  1]}\n', "mine.json", "json"),
        (b"order_id,user_id\n1,2\n", "mine", "csv"),
        (b"order_id;user_id\n1;2\n", "mine.txt", "csv"),
        (b"order_id\n1\n", "mine.csv", "csv"),
        (b"order_id\n1\n", "mine.csv.gz", "csv"),
        (b"order_id\n1\n", "mine", "jsonl"),
        (b"o-1,7,42,Mug\n", "mine.jsonl", "jsonl"),
        (b"o-1,7,42,Mug\n", "mine", "jsonl"),
        (b"", "mine", "jsonl"),
        (b"", "mine.tsv", "csv"),
        (b"PAR1", "mine.csv", "parquet"),
    ],
)
def test_the_form_is_recognised_by_the_first_bytes_then_by_the_ending(
    content: bytes, name: str, form: str, tmp_path: Path
) -> None:
    assert form_of(written(tmp_path, content, name)) == form


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("parts", [1, 2])
def test_what_is_compressed_is_unpacked_whatever_it_is_called(pack: object, parts: int, tmp_path: Path) -> None:
    assert callable(pack)
    packed = pack(LINES) if parts == 1 else pack(LINES[:12]) + pack(LINES[12:])
    assert documents(read(written(tmp_path, packed))) == [{"a": 1}, {"a": 2}]
    rows = read(written(tmp_path, pack(b"a,b\n1,2\n"), "rows.csv.gz"))
    assert documents(rows) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gzip", "zstd"])
def test_a_compressed_file_that_is_cut_off_is_named_and_never_taken_for_a_whole_one(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    packed = pack(b"".join(b'{"a": %d}\n' % number for number in range(50_000)))
    with pytest.raises(EcomLiteError, match=r"mine, after line [\d,]+: .* end"):
        read(written(tmp_path, packed[: len(packed) * 3 // 4]))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04rest", "Excel.*CSV in UTF-8"),
        ("{}".encode("utf-16"), r"UTF-16.*iconv -f UTF-16 -t UTF-8"),
        (b"BZh91AY", "bzcat"),
        (b"\x7fELF\x00\x00", "no text"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(content: bytes, what: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=what):
        read(written(tmp_path, content))


def test_the_form_can_be_said_and_one_that_is_unknown_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "order_id\nA\n")
    assert documents(read(file, format_of("csv"))) == [{"order_id": "A"}]
    with pytest.raises(UsageError, match="csv, json, jsonl, parquet"):
        format_of("xml")
    with pytest.raises(UsageError, match="no Parquet"):
        read(file, "parquet")


def test_lines_keep_their_numbers_and_the_mark_of_utf8_is_no_part_of_the_first(tmp_path: Path) -> None:
    found = read(written(tmp_path, b'\xef\xbb\xbf{"a": 1}\r\n\n \n{"a": 2}'))
    assert [(record.where, record.value) for record in found] == [("line 1", b'{"a": 1}'), ("line 4", b'{"a": 2}')]


READER = """
import resource, sys
from pathlib import Path

def peak_kb():
    status = Path("/proc/self/status")  # else in ru_maxrss, in which on Linux the peak of who has started it counts, too
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(status.read_text().partition("VmHWM:")[2].split()[0])

from ecom_lite.own_events.formats import recognised, records
from ecom_lite.own_events.source import opened
with opened(sys.argv[1], print) as source:
    count, before = 0, 0
    for record in records(source, recognised(source)):
        assert record.value is not None and record.problem is None, record
        count += 1
        before = before or peak_kb()
print(count, (peak_kb() - before) // 1024)
"""
ROWS = 300_000
TEXT = "x" * 200


@pytest.mark.parametrize("form", ["csv", "json", "pretty", "jsonl", "gz", "parquet"])
def test_a_big_file_is_read_in_flat_memory(form: str, tmp_path: Path) -> None:
    file = tmp_path / f"big.{form}"
    one = b'{"order_id": "A-1", "title": "%b"}' % TEXT.encode()
    if form == "csv":
        file.write_bytes(b"order_id,title\n" + b"A-1,%b\n" % TEXT.encode() * ROWS)
    elif form == "json":
        file.write_bytes(b"[" + b",".join([one] * ROWS) + b"]")
    elif form == "pretty":
        file.write_bytes(b"{\n" + one[1:] + b"\n" + (one + b"\n") * (ROWS - 1))
    elif form == "parquet":
        duckdb.execute(f"COPY (SELECT i, '{TEXT}' || i AS title FROM range({ROWS}) t(i)) TO '{file}' (COMPRESSION uncompressed)")
    else:
        content = (one + b"\n") * ROWS
        file.write_bytes(gzip.compress(content, 1) if form == "gz" else content)
    done = subprocess.run([sys.executable, "-c", READER, str(file)], capture_output=True, text=True, check=True)
    count, grown_mb = map(int, done.stdout.split())
    assert count == ROWS
    assert grown_mb < 25, "the file has 70 MB"


def test_standard_input_of_any_form_is_read_as_it_comes(tmp_path: Path) -> None:
    file = tmp_path / "mine.parquet"
    duckdb.execute(f"COPY (SELECT 7 AS a) TO '{file}'")
    for content in (file.read_bytes(), b"a,b\n7,8\n", b'[{"a":7}]', gzip.compress(b'{"a":7}')):
        done = subprocess.run([sys.executable, "-c", READER, "-"], input=content, capture_output=True, check=True)
        assert done.stdout.split()[0] == b"1"


def test_a_pipe_is_read_line_by_line_and_not_waited_for() -> None:
    code = READER.replace("count += 1", "count += 1; print(record.where, flush=True)")
    with subprocess.Popen([sys.executable, "-c", code, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        for number in (1, 2):
            process.stdin.write(b'{"a": 1}\n')
            process.stdin.flush()
            assert process.stdout.readline() == b"line %d\n" % number
        process.stdin.close()
        assert process.stdout.readline().startswith(b"2 ")


def test_a_record_that_is_too_long_for_kafka_has_no_value(tmp_path: Path) -> None:
    huge = "x" * 1_100_000
    for content in (f'{{"a":"{huge}"}}\n{{"a":1}}', f'[{{"a":"","b":"{huge}"}},{{"a":1}}]', f"a,b\n{huge},\n1,2\n"):
        found = read(written(tmp_path, content))
        assert [record.value is None for record in found] == [True, False]
        assert "too_large" in problems(found)[0]
