"""The verb for dead letters: list, show, resend, purge."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import EcomLiteError, UsageError
from ..terminal.printing import print_table, thousands
from .base import ConfigFile, DataDir, Json, Negative, Source, Yes, cli, load, load_one

dead = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Invalid records: list, show, send again, purge.")
cli.add_typer(dead, name="dead")

Topic = Annotated[str | None, typer.Option("--topic", metavar="TOPIC", help="Another topic than kafka.topic.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="REASON", help="Only letters of this reason.")]
Letters = Annotated[list[str] | None, typer.Argument(metavar="PARTITION:OFFSET", help="Letters, as `list` shows them.")]
MAX_FIX_BYTES = 16 * 1024 * 1024
DETAIL_CHARS = 300  # long enough for what to change at the producer, which stands at the end
SHOWN = 20


@dead.command("list")
def list_(
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=0, help="Show so many of the newest letters.")] = 10,
    source: Source = None,
    topic: Topic = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Dead letters by reason, then the newest.

    A dead letter is a record that is not a valid event: kept with its bytes and the reason, and counted. Works beside a
    live run and without one.
    """
    from ..dead_letters import letters

    settings = load_one(config, data_dir, source, topic)
    name = settings.kafka.topic
    letters.known_reason(reason)
    with _opened(load(config, data_dir)) as now, letters.connected(now.address, "ecom_reader") as reader:
        reasons = letters.reasons(reader, name, reason)
        newest = letters.newest(reader, name, reason, limit) if limit else []
        others = letters.other_topics(reader, name)
    if json_:
        found = {"reasons": [entry.as_json() for entry in reasons], "newest": [letter.as_json() for letter in newest]}
        print(json.dumps({"topic": name, "letters": sum(entry.letters for entry in reasons), **found, "other_topics": others}))
        return
    if reasons:
        _print_reasons(reasons)
        if newest:
            print()
            _print_letters(newest)
    else:
        print(f"no dead letters{f' of reason {reason}' if reason else ''} in topic {name}")
    for other, count in others.items():
        known = load(config, data_dir).source_of(other)
        where = f"--source {known}" if known else f"--topic {other}"
        print(f"{count:,} dead letters of topic {other}: {where} shows them", file=sys.stderr)


@dead.command(cls=Negative)
def show(
    letter: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="The letter, as `list` shows it.")],
    raw: Annotated[bool, typer.Option("--raw", help="Write the value's bytes to stdout as they are, and nothing else.")] = False,
    source: Source = None,
    topic: Topic = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """All about one dead letter: why, when, its headers, key and bytes.

    What is not printable is shown as \\x escapes, so that nothing in it can act on the terminal; a long value is cut. Exits 1
    when there is no such letter.

    \b
    ecom_lite dead show 2:17
    ecom_lite dead show 2:17 --raw > letter.json
    """
    from ..dead_letters import letters, safe

    place = letters.Place.of(letter)
    if raw and json_:
        raise UsageError("--raw writes the bytes, --json tells all about them: give one of them")
    if raw and sys.stdout.isatty():
        raise UsageError("--raw is not for a terminal: the bytes may be commands for it. Write to a file: > letter.bin")
    settings = load_one(config, data_dir, source, topic)
    with _opened(load(config, data_dir)) as now, letters.connected(now.address, "ecom_reader") as reader:
        found = letters.find(reader, settings.kafka.topic, place)
        content = letters.content(reader, found)
    if raw:
        if found.purged_at:
            raise EcomLiteError(f"dead letter {place} was purged at {found.purged_at.isoformat()}: its bytes are gone")
        if content.value is None:
            print("a tombstone: it has no value", file=sys.stderr)
        sys.stdout.buffer.write(content.value or b"")
        sys.stdout.flush()
    elif json_:
        print(json.dumps(found.as_json() | safe.content_json(content)))
    else:
        print("\n".join(safe.card(found, content)))


@dead.command(cls=Negative)
def resend(
    chosen: Letters = None,
    reason: Reason = None,
    all_: Annotated[bool, typer.Option("--all", help="All letters of the topic.")] = False,
    value: Annotated[
        str | None, typer.Option("--value", metavar="FILE", help="Send these bytes instead; for one letter. - reads stdin.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also those that were re-sent before.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also those that would be dead letters again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing: say what would be sent.")] = False,
    source: Source = None,
    topic: Topic = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Send dead letters to their topic again, after a fix.

    Sent are those that are events by now: because the program accepts more than it did, because the clock has reached their
    timestamp, or because --value corrects the bytes. Each goes to its partition with its key and headers, and with the header
    ecom_lite.resent_from: TOPIC/PARTITION/OFFSET. The letter stays, marked with where it went, and is not sent twice. What
    dies again is a new letter that names the old one. Should Kafka or the command break off in the middle, a letter may go
    twice; an order line still counts once. Exits 1 when a letter that was named, or one that Kafka should take, was not sent.

    \b
    ecom_lite dead resend --reason bad_timestamp --dry-run
    ecom_lite dead resend --all
    ecom_lite dead resend 2:17 --value corrected.json
    """
    from ..dead_letters import letters
    from ..dead_letters.resend import Wish
    from ..dead_letters.resend import resend as send

    places = list(dict.fromkeys(letters.Place.of(text) for text in chosen or []))
    letters.known_reason(reason)
    if bool(places) + bool(reason) + all_ != 1:
        raise UsageError("which letters? Give one of these: their names (2:17 2:18), --reason REASON, --all")
    if value is not None and len(places) != 1:
        raise UsageError("--value corrects one letter: name it, such as `ecom_lite dead resend 2:17 --value FILE`")
    settings = load_one(config, data_dir, source, topic)
    wish = Wish(
        settings.kafka.topic,
        places,
        reason,
        again,
        force,
        dry_run,
        None if value is None else _read(value),
        settings.events,
        settings.currency.default,
    )
    with _opened(load(config, data_dir), kafka=not dry_run) as now, letters.connected(now.address, "ecom_producer") as sender:
        client = None if dry_run else now.reach.client
        result = send(sender, client, wish)
        live = now.live
    if json_:
        print(json.dumps(result.as_json()))
    elif result.named:
        print_table(
            ["letter", "fate", "remark"], [(place, fate, shown_detail(remark)) for place, fate, remark in result.named[:SHOWN]]
        )
        if len(result.named) > SHOWN:
            print(f"only the first {SHOWN} are shown; --json names up to 1,000", file=sys.stderr)
    print(result, file=sys.stderr)
    if result.sent and not dry_run and not live:
        print("nothing runs: the next `ecom_lite run` loads them", file=sys.stderr)
    if result.failed or (places and result.sent + result.would_be_sent < len(places)):
        raise typer.Exit(1)


@dead.command(cls=Negative)
def purge(
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="TIME", help="Only letters found so long ago, such as 30d.")
    ] = None,
    reason: Reason = None,
    resent: Annotated[bool, typer.Option("--resent", help="Only letters that were sent again.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="All letters of the topic, also those that could be mended.")] = False,
    yes: Yes = False,
    source: Source = None,
    topic: Topic = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Give back the space of dead letters.

    Their bytes, keys and headers go for good; what the count needs stays: the row with its offset, reason and times, so that
    `ecom_lite check` still closes. Purged letters cannot be sent again. PostgreSQL uses the space for new rows; the files on
    disk do not shrink. Asks first.

    \b
    ecom_lite dead purge --resent
    ecom_lite dead purge --older-than 30d --reason not_json --yes
    """
    from ..dead_letters import letters
    from ..dead_letters.purge import Wanted, measure
    from ..dead_letters.purge import purge as empty

    if all_ == bool(older_than or reason or resent):
        raise UsageError("which letters? Give --resent, --older-than, --reason, some of them together, or --all alone")
    settings = load_one(config, data_dir, source, topic)
    wanted = Wanted(settings.kafka.topic, letters.known_reason(reason), _age(older_than), resent)
    with _opened(load(config, data_dir)) as now, letters.connected(now.address, "ecom_producer") as connection:
        size = measure(connection, wanted)
        if size.letters:
            print(f"{size.letters:,} dead letters of topic {wanted.topic}: {_bytes(size.bytes)}", file=sys.stderr)
            _confirm(yes)
        gone, freed = empty(connection, wanted, size) if size.letters else (0, 0)
    if json_:
        print(json.dumps({"topic": wanted.topic, "letters": gone, "bytes": freed}))
    print(f"{gone:,} letters purged, {_bytes(freed)}" if gone else "nothing to purge", file=sys.stderr)


def _opened(settings: Any, kafka: bool = False) -> Any:
    from ..run.opened import opened
    from ..terminal.terminal import Terminal

    return opened(settings, Terminal(), "dead", kafka=kafka)


def _print_reasons(reasons: Sequence[Any]) -> None:
    print_table(
        ["reason", "letters", "bytes", "first", "last", "re-sent", "purged", "meaning"],
        [
            (entry.reason, thousands(entry.letters), thousands(entry.bytes), _time(entry.first), _time(entry.last),
             thousands(entry.resent), thousands(entry.purged), entry.meaning)
            for entry in reasons
        ],
    )  # fmt: skip


def _print_letters(found: Sequence[Any]) -> None:
    print_table(
        ["letter", "found", "bytes", "reason", "detail", "done"],
        [
            (letter.place, _time(letter.loaded_at), "none" if letter.value_bytes is None else thousands(letter.value_bytes),
             letter.reason, shown_detail(letter.detail), letter.mark)
            for letter in found
        ],
    )  # fmt: skip


def shown_detail(text: str) -> str:
    """What a letter says of itself, without anything that could act on a terminal, at most DETAIL_CHARS long."""
    from ..contract.rejected import printable

    text = printable(text)
    return text if len(text) <= DETAIL_CHARS else text[:DETAIL_CHARS] + "..."


def _time(time: Any) -> str:
    from datetime import UTC

    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _bytes(count: int) -> str:
    return f"{count:,} bytes" + (f" ({count / 1e6:,.1f} MB)" if count >= 1e6 else "")


def _age(text: str | None) -> float | None:
    from ..settings.values import duration_s

    try:
        return None if text is None else duration_s(text)
    except ValueError as error:
        raise UsageError(f"--older-than {text!r}: {error}") from None


def _read(name: str) -> bytes:
    """The corrected bytes, without the line's end that editors add."""
    try:
        data = sys.stdin.buffer.read(MAX_FIX_BYTES + 1) if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"--value {name}: {error.strerror}") from None
    if len(data) > MAX_FIX_BYTES:
        raise UsageError(f"--value {name}: more than {MAX_FIX_BYTES:,} bytes, too long for Kafka")
    return data.removesuffix(b"\n").removesuffix(b"\r")


def _confirm(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("not purged: there is no terminal to ask on; --yes skips the question")
    if not typer.confirm("Purge them? Their bytes are gone then.", err=True):
        raise typer.Exit(1)
