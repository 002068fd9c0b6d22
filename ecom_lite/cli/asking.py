"""`sql`: what was asked, where the warehouse is, and by which way the answer goes out. Imported before anything that is slow."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import EcomLiteError, UsageError

if TYPE_CHECKING:
    from ..ask.answer import Wish
    from ..ask.warm import Warm
    from ..warehouse.connect import Address

TIMEOUT_S: Final = 30.0
_WHOLE: Final = re.compile(r"[1-9]\d{0,8}")
_NUMBER: Final = re.compile(r"\d{1,6}(\.\d{1,6})?")
_VALUES: Final = {
    "--format": "format", "-f": "format", "--output": "output", "-o": "output", "--limit": "limit", "--timeout": "timeout_s",
    "--data-dir": "data_dir", "--config": "config",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """The arguments and options of `sql`."""

    statement: str | None = None
    format: str | None = None
    json: bool = False
    output: Path | None = None
    limit: int | None = None
    timeout_s: float = TIMEOUT_S
    data_dir: Path | None = None
    config: Path | None = None


@dataclass(frozen=True)
class Place:
    """A data folder, and how its warehouse is reached: it may have to be started, for as long as the stack is open."""

    data_dir: Path
    reach: Callable[[ExitStack], Address]


def quickly(words: Sequence[str]) -> bool:
    """Answer here and now where a run is up, and these settings were found right before: True. Else nothing is done, and False.

    It spares the import of the command line's parser, and of what validates settings: half of the time of a short question.
    """
    asked = understood(words)
    place = None if asked is None else known(asked)
    if asked is None or place is None:
        return False
    from ..ask.warm import Warm

    carry_out(asked, Warm(), place)
    return True


def understood(words: Sequence[str]) -> Asked | None:
    """The words after `sql`; None of those that need explaining, or are written in a rarer way: the parser has these."""
    given: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        value: Any = word
        if word == "--json":
            name, value = "json", True
        elif word == "-" or not word.startswith("-"):
            name = "statement"
        else:
            option, equals, text = word.partition("=")
            name = _VALUES.get(option, "")
            value = _value(name, text if equals and option.startswith("--") else "" if equals else next(rest, ""))
        if not name or value is None or name in given:
            return None
        given[name] = value
    return Asked(**given)


def _value(name: str, text: str) -> Any:
    if not text or text.startswith("-"):
        return None
    if name == "limit":
        return int(text) if _WHOLE.fullmatch(text) else None
    if name == "timeout_s":
        return float(text) if _NUMBER.fullmatch(text) else None
    return text if name == "format" else Path(text)


def known(asked: Asked) -> Place | None:
    """The warehouse of a run that is up, by settings that were found right before."""
    from ..live.database import live_database
    from ..settings.seen import seen_data_dir

    data_dir = seen_data_dir(asked.config, asked.data_dir)
    where = None if data_dir is None else live_database(data_dir)
    if data_dir is None or where is None:
        return None
    from ..settings.libpq import forget_variables
    from ..warehouse.connect import Address
    from ..warehouse.passwords import load_passwords

    forget_variables()
    at_first: Iterator[Address] = iter([Address(*where, "postgres", "", load_passwords(data_dir))])

    def reach(stack: ExitStack) -> Address:
        """Once it was lost it may be elsewhere, or down: then as if nothing were known."""
        return next(at_first, None) or looked_for(asked).reach(stack)

    return Place(data_dir, reach)


def looked_for(asked: Asked) -> Place:
    """The live run's warehouse, or one that is started. Raises ConfigError."""
    from ..settings.load import load_settings

    settings = load_settings(asked.config, flags={"run.data_dir": asked.data_dir})

    def reach(stack: ExitStack) -> Address:
        from ..run.opened import opened
        from ..settings.seen import remember

        now = stack.enter_context(opened(settings, None, "sql", kafka=False))
        if now.live and not settings.postgres.url.get_secret_value():
            remember(asked.config, asked.data_dir, settings.data_dir)
        return now.address

    return Place(settings.data_dir, reach)


def carry_out(asked: Asked, warm: Warm, place: Place) -> None:
    """Ask, and show or write what is answered. Raises EcomLiteError, OSError."""
    wish = _wish(asked)
    statement = asked.statement
    try:
        if statement is None and sys.stdin.isatty():
            _prompt(asked, warm, place, wish)
        elif statement is not None and statement != "-":
            _require_text(statement)
            _once(asked, warm, place, wish, statement)
        elif wish.one_file:
            _once(asked, warm, place, wish, "".join(_stdin()))
        else:
            _all_of_stdin(asked, warm, place, wish)
    except BaseException as error:
        _leave_if_stuck(error)
        raise
    _leave_if_stuck()


def _leave_if_stuck(error: BaseException | None = None) -> None:
    """End the process here and now where a question is left behind: Python would abort on its thread."""
    session = sys.modules.get("ecom_lite.ask.session")
    if session is None or not session.left_behind():
        return
    if isinstance(error, EcomLiteError):
        print(f"ecom_lite: {error}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if error is None else error.exit_code if isinstance(error, EcomLiteError) else 130)


def _wish(asked: Asked) -> Wish:
    from ..ask.answer import Wish, check_parquet
    from ..ask.formats import JSON, TABLE, format_named, format_of

    name, output = asked.format, asked.output
    if asked.json and name not in (None, JSON):
        raise UsageError(f"--json and --format {name}: give one of them")
    form = JSON if asked.json else format_named(name) if name else TABLE if output is None else format_of(output)
    wish = Wish(form, asked.limit, output)
    check_parquet(wish)
    return wish


def _once(asked: Asked, warm: Warm, place: Place, wish: Wish, text: str) -> None:
    from ..ask.once import ask_once
    from ..ask.statements import only

    told = ask_once(place.data_dir, place.reach, warm, only(text), wish, asked.timeout_s)
    for note in told.notes:
        print(note, file=sys.stderr)
    if wish.output is not None:
        print(f"{told.counted} in {wish.output}", file=sys.stderr)


def _all_of_stdin(asked: Asked, warm: Warm, place: Place, wish: Wish) -> None:
    from ..ask.asker import Asker
    from ..ask.talk import ask_all

    with Asker(place.data_dir, place.reach, warm, asked.timeout_s) as asker:
        ask_all(asker, _stdin(), wish)


def _stdin() -> Iterator[str]:
    """Its lines, as UTF-8 whatever the locale is. Raises UsageError."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(
                f"stdin, line {number}: byte {error.start + 1} is {line[error.start]:#04x}, which is not UTF-8: "
                "save the statements as UTF-8 text"
            ) from None
        yield text.replace("\r\n", "\n")


def _require_text(statement: str) -> None:
    try:
        statement.encode()
    except UnicodeEncodeError:
        raise UsageError("the SQL statement is not UTF-8 text") from None


def _prompt(asked: Asked, warm: Warm, place: Place, wish: Wish) -> None:
    from .. import __version__
    from ..ask.asker import Asker
    from ..ask.prompt import Prompt, say
    from ..settings.data_dir import SQL_HISTORY

    if wish.output is not None or not sys.stdout.isatty():
        raise UsageError("no SQL statement was given")

    def again(lost: str) -> None:
        say(f"{lost}; connecting anew")

    with Asker(place.data_dir, place.reach, warm, asked.timeout_s, limit_by=".timeout", again=again) as asker:
        Prompt(asker, wish, place.data_dir / SQL_HISTORY).run(__version__)
