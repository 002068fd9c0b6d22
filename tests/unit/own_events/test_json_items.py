"""A JSON array, or objects over several lines, are cut into their objects, byte for byte; what is broken is one of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_lite.errors import EcomLiteError
from ecom_lite.own_events import json_items

from .files import documents, problems, read, written

ITEMS = [{"a": 'with " and \\ and ]}'}, {}, {"b": [{"c": [1, {}]}], "d": "ä, \u20ac"}, {"price": 1.10}]


@pytest.mark.parametrize("indent", [None, 2])
def test_objects_arrive_as_they_are_written(indent: int | None, tmp_path: Path) -> None:
    content = "[" + ",\n".join(json.dumps(item, indent=indent, ensure_ascii=False) for item in ITEMS) + "]\n"
    found = read(written(tmp_path, content))
    assert documents(found) == ITEMS
    assert all(record.value is not None and record.value in content.encode() for record in found)


def test_an_object_is_named_by_its_number_and_the_line_that_it_begins_in(tmp_path: Path) -> None:
    found = read(written(tmp_path, '[\n{"a": 1},\n\n{\n"a":\n2}, {"a": 3}\n]'))
    assert [record.where for record in found] == ["item 1 (line 2)", "item 2 (line 4)", "item 3 (line 6)"]


def test_objects_one_after_another_and_several_arrays_are_read_too(tmp_path: Path) -> None:
    assert documents(read(written(tmp_path, '{\n"a": 1\n}\n{\n"a": 2\n}'))) == [{"a": 1}, {"a": 2}]
    assert documents(read(written(tmp_path, '[{"a": 1}]\n[{"a": 2}]\n[]'))) == [{"a": 1}, {"a": 2}]


def test_what_is_no_object_is_a_record_of_its_own(tmp_path: Path) -> None:
    found = read(written(tmp_path, '[{"a": 1}, "two", 3, {"a": 4}, {"a" 5}, {"a": 6}]'))
    assert [record.value for record in found] == [b'{"a": 1}', b'"two", 3', b'{"a": 4}', b'{"a" 5}', b'{"a": 6}']


def test_an_array_that_is_cut_off_is_named(tmp_path: Path) -> None:
    assert problems(read(written(tmp_path, '[{"a": 1},\n{"a": 2}'))) == [
        "line 2: not_json: the array is not closed: the file seems to be cut off"
    ]
    found = read(written(tmp_path, '[{"a": 1},\n{"a": '))
    assert found[-1].value == b'{"a":'


def test_a_quotation_mark_that_is_missing_does_not_fill_the_memory(tmp_path: Path) -> None:
    with pytest.raises(EcomLiteError, match=r"item 2 \(from line 2\).*quotation mark"):
        read(written(tmp_path, '[{"a": 1},\n{"a": "},\n' + "{'a': 1},\n" * 300_000))


_VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(st.lists(st.dictionaries(st.text(), _VALUES)), st.integers(1, 40), st.sampled_from([None, 1]))
def test_any_array_is_cut_alike_wherever_the_pieces_end(items: list[object], size: int, indent: int | None) -> None:
    import io

    from ecom_lite.own_events.source import Source

    content = json.dumps(items, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    whole, json_items.CHUNK_BYTES = json_items.CHUNK_BYTES, size  # type: ignore[misc]
    try:
        found = list(json_items.read(Source("-", b"", io.BytesIO(content), None)))
    finally:
        json_items.CHUNK_BYTES = whole  # type: ignore[misc]
    assert [json.loads((record.value or b"").decode("utf-8", "surrogatepass")) for record in found] == items
