"""One's own events to the topic: records as they are, at the pace of their timestamps, all acknowledged or said why not."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ..contract.events import Clock, utc_now
from ..contract.reader import Reader, make_reader
from ..errors import EcomLiteError, UsageError
from ..settings.tree import Settings
from ..settings.values import rate_of
from .formats import TITLES, Format, recognised, records
from .judge import Judged, judge, last_time
from .source import Source, can_be_read_twice, opened

NAMED: Final = 5  # so many lines that break the contract are named, the others counted
WAIT_S: Final = 0.5  # the longest sleep, so that a broker that is away is noticed
STOP_S: Final = 2.0  # after Ctrl-C the broker has so long to acknowledge the rest

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """How to send. `rate` is events per second, or "max"; with neither rate nor speed the timestamps decide, if there are any."""

    speed: float | None = None
    rate: float | str | None = None
    check: bool = False
    strict: bool = False  # one that is broken is enough to fail: of a file nothing is sent then
    form: Format | None = None  # as the file looks

    @classmethod
    def of(cls, speed: float | None, rate: str | None, check: bool, strict: bool = False, form: Format | None = None) -> Wish:
        """From the options; UsageError where they cannot be meant."""
        if speed is not None and rate is not None:
            raise UsageError("--speed goes by the timestamps, --rate does not: give one of them")
        if rate == "natural":
            raise UsageError("--rate natural: without --rate the events' own timestamps set the pace")
        try:
            return cls(speed, None if rate is None else rate_of(rate), check, strict, form)
        except ValueError:
            raise UsageError(f"--rate {rate!r}: give a number of events per second above 0, or max") from None


@dataclass
class Result:
    """What became of the records. `broken` ones break the contract; `unsent` ones cannot be sent: too long, or no whole row."""

    topic: str
    checked: bool  # nothing was to be sent
    refused: bool = False  # nothing was sent, because of the broken ones
    lines: int = 0
    sent: int = 0
    acknowledged: int = 0
    unsent: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def broken(self) -> int:
        return self.reasons.total()

    def as_json(self) -> dict[str, object]:
        rate = round(self.acknowledged / self.seconds, 1) if self.seconds else 0.0
        counts = {"lines": self.lines, "sent": self.sent, "acknowledged": self.acknowledged, "unsent": self.unsent}
        return {
            "topic": None if self.checked else self.topic,
            **counts,
            "broken": self.broken,
            "reasons": dict(self.reasons),
            "seconds": round(self.seconds, 3),
            "rate": rate,
            "interrupted": self.interrupted,
        }

    def __str__(self) -> str:
        if self.refused and not self.interrupted:
            return f"nothing is sent: {self.broken:,} of {self.lines:,} records break the contract ({self._kinds()})"
        if self.checked:
            stopped = "; interrupted, the rest was not looked at" if self.interrupted else ""
            if not self.broken:
                return f"{self.lines:,} events, all by the contract{stopped}"
            return f"{self.lines:,} lines, {self.broken:,} of them break the contract ({self._kinds()}){stopped}"
        rate = self.acknowledged / self.seconds if self.seconds else 0.0
        text = f"{self.acknowledged:,} events sent and acknowledged in {self.seconds:.1f} s ({rate:,.0f}/s)"
        if self.interrupted:
            text += f", of {self.sent:,} handed over; interrupted"
        if letters := self.broken - self.unsent:
            text += f", {letters:,} of them break the contract ({self._kinds()})"
        if self.unsent:
            text += f"; {self.unsent:,} could not be sent" + ("" if letters else f" ({self._kinds()})")
        return text

    def _kinds(self) -> str:
        return ", ".join(f"{reason} {count:,}" for reason, count in self.reasons.most_common())


def send_file(
    settings: Settings,
    name: str,
    wish: Wish,
    say: Say,
    broker: Callable[[Settings], str],
    clock: Clock = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Send the records of file `name` ("-": stdin) to settings.kafka.topic, or only check them. Blocks until all are
    acknowledged; flat memory. `broker` says where to send ("host:port,..."); it is not asked for a mere check.

    Ctrl-C ends it early with `interrupted` set. Raises UsageError on a file that cannot be sent, NotRunning where no broker
    is known, EcomLiteError when Kafka does not take the events (it says how many it has taken).
    """
    read = make_reader(settings.events, settings.currency.default)
    if wish.strict and not wish.check and can_be_read_twice(name):
        looked = _looked_at(settings, name, wish, read, say, clock, monotonic)
        if looked.broken or looked.interrupted:
            looked.refused = True
            return looked
    elif wish.check:
        return _looked_at(settings, name, wish, read, say, clock, monotonic)
    result = Result(settings.kafka.topic, checked=False)
    began = monotonic()
    with opened(name, say) as source:
        found = _counted(source, wish, read, result, say, clock)
        try:
            _send(settings, broker(settings), found, source, read, result, wish, say, monotonic, sleep)
        except KeyboardInterrupt:
            result.interrupted = True
    result.seconds = monotonic() - began
    return result


def _looked_at(
    settings: Settings, name: str, wish: Wish, read: Reader, say: Say, clock: Clock, monotonic: Callable[[], float]
) -> Result:
    """The records are judged, and that is all."""
    result = Result(settings.kafka.topic, checked=True)
    began = monotonic()
    with opened(name, say) as source:
        try:
            for _ in _counted(source, wish, read, result, say, clock):
                pass
        except KeyboardInterrupt:
            result.interrupted = True
    result.seconds = monotonic() - began
    return result


def _send(
    settings: Settings,
    bootstrap: str,
    found: Iterator[Judged],
    source: Source,
    read: Reader,
    result: Result,
    wish: Wish,
    say: Say,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    # kafka-python takes a third of a second to import, and --check needs none of it.
    from kafka.errors import KafkaError

    from ..topic.batch_producer import BatchProducer
    from ..topic.client import client_config, end_offsets, explained, max_message_bytes
    from .sender import LineSender, batch_bytes

    config = client_config(settings.kafka, bootstrap)
    end_offsets(config, result.topic)  # says so when there is no such topic
    producer: BatchProducer | None = None
    sender: LineSender | None = None
    try:
        with explained(config, f"sending to topic {result.topic}"):
            producer = BatchProducer(config)
            sender = LineSender(producer, result.topic, batch_bytes(max_message_bytes(config, result.topic)))
            if source.pipe is not None:
                source.pipe.meanwhile = sender.rest
            with sender.whole.kept():
                pace: Pace | None = None
                for one in found:
                    if one.record.value is None:
                        continue
                    if not sender.sent:
                        pace, begin = _pace(wish, one, source, read, say, result.topic), monotonic()
                    if pace is not None:
                        due = begin + pace(sender.sent, one.time)
                        while (left := due - monotonic()) > 0:
                            sleep(min(left, sender.rest() or WAIT_S))
                    sender.send(one.record.value, one.key)
                sender.drain()
    except KeyboardInterrupt:
        if sender is not None:
            with suppress(KafkaError):
                sender.drain(STOP_S)
        raise
    except EcomLiteError as error:
        if sender is None or not sender.sent:
            raise
        raise EcomLiteError(f"{error}; {sender.acknowledged:,} of {sender.sent:,} events were acknowledged before") from error
    finally:
        if sender is not None:
            result.sent, result.acknowledged = sender.sent, sender.acknowledged
        if producer is not None:
            producer.close(timeout=0)


Pace = Callable[[int, datetime | None], float]  # (number of the event, its time) -> seconds after the first one


def _pace(wish: Wish, first: Judged, source: Source, read: Reader, say: Say, topic: str) -> Pace | None:
    """When each event is due, None where at once; says what it is going to do."""
    if isinstance(wish.rate, float):
        rate = wish.rate
        say(f"sending to topic {topic}: {rate:g} events per second")
        return lambda number, time: number / rate
    if wish.rate == "max" or (wish.speed is None and first.time is None):
        say(f"sending to topic {topic}: as fast as it goes")
        return None
    speed = wish.speed or 1.0
    last = last_time(source, read, utc_now())
    origin: list[datetime] = []

    def due_s(number: int, time: datetime | None) -> float:
        if time is None:
            return 0.0
        if not origin:
            origin.append(time)
        return (time - origin[0]).total_seconds() / speed

    text = f"sending to topic {topic}: as the timestamps say" + ("" if speed == 1 else f", {speed:g} times as fast")
    if first.time is not None and last is not None and last >= first.time:
        takes_s = (last - first.time).total_seconds() / speed
        text += f": it takes {timedelta(seconds=round(takes_s))}"
        if takes_s > 60:
            text += "; --speed makes that shorter, --rate max sends as fast as it goes"
    say(text)
    return due_s


def _counted(source: Source, wish: Wish, read: Reader, result: Result, say: Say, clock: Clock) -> Iterator[Judged]:
    """The records, judged; those that break the contract are counted, and the first of them named."""
    form = wish.form or recognised(source)
    if form != "jsonl":
        say(f"reading {source.title} as {TITLES[form]}")
    for record in records(source, form):
        one = judge(record, read, clock())
        result.lines += 1
        if one.problem is not None:
            result.unsent += record.value is None
            if result.broken < NAMED:
                fate = "" if result.checked else " (not sent)" if record.value is None else " (will be a dead letter)"
                say(f"{record.where}: {one.problem}{fate}")
            elif result.broken == NAMED:
                say("further ones that break the contract are only counted")
            result.reasons[one.problem.reason] += 1
        yield one
