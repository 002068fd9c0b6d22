"""Every command that the docs show can be parsed, and is one that a test runs or says why it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.acceptance import doc_frame as frame
from tests.doc_lines import ROOT, all_lines, lines_of, not_marked, pages, parse

LINES = all_lines()
TEXTS = {line.text for line in LINES}
RUN = re.compile(r"ecom_lite |cd |head |echo |duckdb |ECOM_LITE_")


def is_run(text: str) -> bool:
    return text == frame.STARTED or not any(re.fullmatch(pattern, text) for pattern in frame.NOT_HERE)


@pytest.mark.parametrize("text", sorted(text for text in TEXTS if "ecom_lite " in text), ids=lambda text: text[:60])
def test_the_program_parses_it(text: str) -> None:
    parse(text)


def spans() -> Iterator[tuple[str, str]]:
    for page in pages():
        text = re.sub(r"(?ms)^```.*?^```$", "", (ROOT / page).read_text("utf-8"))
        for span in re.findall(r"`(?:\.venv/bin/)?(ecom_lite [a-z][^`]*)`", text.replace("\n", " ")):
            if "..." not in span:
                yield page, span


@pytest.mark.parametrize(("page", "span"), sorted(set(spans())), ids=lambda each: each[:60])
def test_the_program_parses_what_a_sentence_names(page: str, span: str) -> None:
    try:
        parse(span)
    except Exception as error:  # a verb or an option may be named without its value; --help ends it
        if type(error).__name__ not in ("MissingParameter", "BadOptionUsage", "Exit"):
            raise AssertionError(f"{page}: {error}") from error


def test_every_line_is_run_or_says_why_it_is_not() -> None:
    assert not [line for line in LINES if is_run(line.text) and not RUN.match(line.text)], "tests/acceptance/doc_frame.py"


def test_no_entry_is_about_a_line_that_no_page_has() -> None:
    assert not [pattern for pattern in frame.NOT_HERE if not any(re.fullmatch(pattern, text) for text in TEXTS)]
    named = {
        frame.STARTED,
        *frame.AT_THE_END,
        *frame.UNTIL_CTRL_C,
        *frame.ON_A_TERMINAL,
        *frame.TYPED_IN,
        *frame.AFTERWARDS,
        frame.MORE_TO_PURGE,
    }
    assert named <= TEXTS, named - TEXTS
    for words in (*frame.INSTEAD, frame.LETTER, frame.DAY, frame.ARCHIVE, *frame.MENDED, *frame.FILES):
        assert any(words in text for text in TEXTS), words


def test_what_takes_the_place_of_a_run_exists() -> None:
    for reason in frame.NOT_HERE.values():
        for file in re.findall(r"tests/[\w/]+\.py", reason):
            assert (ROOT / file).exists(), file


def test_a_target_of_make_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in {match[1] for text in TEXTS if (match := re.match(r"make ([\w-]+)", text))}:
        assert re.search(rf"(?m)^{target}:", makefile), target


@pytest.mark.parametrize("page", pages())
def test_a_block_of_commands_says_that_it_is_one(page: str) -> None:
    assert not not_marked((ROOT / page).read_text("utf-8"))


def test_lines_are_found_in_blocks_and_tables_and_their_comments_are_not() -> None:
    block = "```sh\necom_lite init shop   # makes it\ncd shop\n# a word\necom_lite diff \\\n  --text\n```\n"
    page = f"{block}\n| `ecom_lite stop`, `x` | `ecom_lite run` |\n"
    found = [(line.text, line.folder) for line in lines_of("page", page)]
    assert found == [
        ("ecom_lite init shop", "."), ("cd shop", "."), ("ecom_lite diff --text", "shop"), ("ecom_lite stop", ".")
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["ecom_lite stopp", "ecom_lite run --ratee 5", "x | ecom_lite events tri -", "ecom_lite run 5"])
def test_what_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(Exception, match=r"no verb|No such option|unexpected extra argument"):
        parse(text)
