"""Each row of CSV is one object of texts as they are written; what is wrong with a file is said with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.errors import UsageError

from .files import documents, problems, read, written

HEAD = "order_id,user_id,title,price\n"


def rows(folder: Path, content: str | bytes) -> list[object]:
    return documents(read(written(folder, content, "mine.csv")))


def test_values_arrive_as_they_are_written(tmp_path: Path) -> None:
    assert rows(tmp_path, HEAD + '1.10,007,"Mug, ""blue""\nof 2 ""lines""", 1e5 \n') == [
        {"order_id": "1.10", "user_id": "007", "title": 'Mug, "blue"\nof 2 "lines"', "price": " 1e5 "}
    ]


def test_an_empty_cell_is_a_field_that_is_absent_and_an_empty_row_is_none(tmp_path: Path) -> None:
    assert rows(tmp_path, HEAD + '1,,"",2\n\n,,,\n3,4,5,\n') == [
        {"order_id": "1", "price": "2"},
        {"order_id": "3", "user_id": "4", "title": "5"},
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_line_ends_and_the_mark_of_utf8_are_known(separator: str, end: str, mark: str, tmp_path: Path) -> None:
    content = mark + end.join([separator.join(["order id", '"the;title,|\tx"']), separator.join(["1", "2"]), ""])
    assert rows(tmp_path, content) == [{"order id": "1", "the;title,|\tx": "2"}]


def test_a_column_without_a_name_is_left_out(tmp_path: Path) -> None:
    assert rows(tmp_path, ",order_id, user_id ,\n0,A,7,\n") == [{"order_id": "A", "user_id": "7"}]


def test_rows_that_do_not_fit_the_header_are_named_by_line_and_have_no_value(tmp_path: Path) -> None:
    found = read(written(tmp_path, HEAD + '1,2,"a\nb",4\n1,2,Mug, blue,4\n1,2\n1;2;3;4\n5,6,7,8,,\n', "mine.csv"))
    assert [record.where for record in found] == ["line 2", "line 4", "line 5", "line 6", "line 7"]
    assert [record.value is None for record in found] == [False, True, True, True, False]
    assert problems(found) == [
        "line 4: bad_row: 5 cells, the header has 4; put a value with ',' in it into quotes",
        "line 5: bad_row: 2 cells, the header has 4; is the row cut off?",
        "line 6: bad_row: 1 cell, the header has 4; cells are separated by ',' as in the header, not by ';'",
    ]


def test_bad_quotes_are_named_and_the_rows_behind_them_are_read(tmp_path: Path) -> None:
    found = read(written(tmp_path, HEAD + '1,2,"Mug" blue,4\n1,2,12" pan,4\n1,"2,3,4\n5,6,7,8\n', "mine.csv"))
    assert documents(found) == [{"order_id": "1", "user_id": "2", "title": '12" pan', "price": "4"}]
    assert problems(found) == [
        'line 2: bad_row: a value goes on behind its closing quotation mark; within quotes write " twice',
        'line 4: bad_row: a quotation mark is opened and not closed (up to line 5); within quotes write " twice',
    ]


def test_a_lone_cr_is_named_for_what_it_is(tmp_path: Path) -> None:
    found = read(written(tmp_path, HEAD + '1,2,Mug\rblue,4\n1,2,"Mug\rred",4\n', "mine.csv"))
    assert documents(found) == [{"order_id": "1", "user_id": "2", "title": "Mug\rred", "price": "4"}]
    assert problems(found) == ["line 2: bad_row: a CR stands alone in a value; put the value into quotes"]


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(tmp_path: Path) -> None:
    found = read(written(tmp_path, HEAD + '1,2,"Mug,4\n' + "1,2,3,4\n" * 150_000, "mine.csv"))
    assert "not closed (up to line 130," in problems(found)[0] and len(documents(found)) > 15_000


def test_another_encoding_is_named_with_the_command_that_mends_it(tmp_path: Path) -> None:
    found = read(written(tmp_path, HEAD.encode() + "1,2,Café,4\n5,6,7,8\n".encode("latin-1"), "mine.csv"))
    assert problems(found) == [
        "line 2: not_utf8: byte 0xe9 is not UTF-8; it may be in Windows-1252 or Latin-1: `iconv -f WINDOWS-1252 -t UTF-8 FILE`"
    ]
    assert len(documents(found)) == 1
    with pytest.raises(UsageError, match=r"line 1: byte 0xe4 .*iconv"):
        read(written(tmp_path, "Währung,Stück\n".encode("latin-1"), "mine.csv"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty: the first line of CSV has the names of the columns, such as order_id,"),
        ("\n\n", "is empty"),
        ("A-1,7,Mug,2.50\nA-2,8,Mug,2.50\n", "line 1 is no header: column 2 is named '7'; write the names"),
        ("name,price,name\n", "line 1: two columns are named 'name'"),
        (",,\n", "line 1 is no header: no column has a name"),
        ("a,b\r1,2\r3,4\r", r"lines that end with CR alone: save it with LF or CRLF"),
    ],
)
def test_a_header_that_is_none_is_refused_in_words(content: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        read(written(tmp_path, content, "mine.csv"))
