"""One's own events to the topic: lines as they are, at the pace of their timestamps, all acknowledged or said why not."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final

from ..contract.events import Clock, utc_now
from ..errors import EcomLiteError, UsageError
from ..settings.tree import Settings
from ..settings.values import rate_of
from .lines import Line, last_time, opened, read

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

    @classmethod
    def of(cls, speed: float | None, rate: str | None, check: bool) -> Wish:
        """From the options; UsageError where they cannot be meant."""
        if speed is not None and rate is not None:
            raise UsageError("--speed goes by the timestamps, --rate does not: give one of them")
        if rate == "natural":
            raise UsageError("--rate natural: without --rate the events' own timestamps set the pace")
        try:
            return cls(speed, None if rate is None else rate_of(rate), check)
        except ValueError:
            raise UsageError(f"--rate {rate!r}: give a number of events per second above 0, or max") from None


@dataclass
class Result:
    """What became of the lines. `broken` ones break the contract; `unsent` ones are too long for Kafka."""

    topic: str
    checked: bool
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
        if self.checked:
            stopped = "; interrupted, the rest was not looked at" if self.interrupted else ""
            if not self.broken:
                return f"{self.lines:,} events, all by the contract{stopped}"
            return f"{self.lines:,} lines, {self.broken:,} of them break the contract ({self._kinds()}){stopped}"
        rate = self.acknowledged / self.seconds if self.seconds else 0.0
        text = f"{self.acknowledged:,} events sent and acknowledged in {self.seconds:.1f} s ({rate:,.0f}/s)"
        if self.interrupted:
            text += f", of {self.sent:,} handed over; interrupted"
        if self.broken:
            text += f", {self.broken - self.unsent:,} of them break the contract ({self._kinds()})"
        return text + (f"; {self.unsent:,} too long for Kafka, not sent" if self.unsent else "")

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
    """Send the lines of file `name` ("-": stdin) to settings.kafka.topic, or only check them. Blocks until all are
    acknowledged; flat memory. `broker` says where to send ("host:port,..."); it is not asked for a mere check.

    Ctrl-C ends it early with `interrupted` set. Raises UsageError on a file that cannot be sent, NotRunning where no broker
    is known, EcomLiteError when Kafka does not take the events (it says how many it has taken).
    """
    result = Result(settings.kafka.topic, wish.check)
    with opened(name, say) as file:
        began = monotonic()
        lines = _counted(read(file, name, clock), result, say)
        try:
            if wish.check:
                for _ in lines:
                    pass
            else:
                _send(settings, broker(settings), lines, file, result, wish, say, monotonic, sleep)
        except KeyboardInterrupt:
            result.interrupted = True
        result.seconds = monotonic() - began
    return result


def _send(
    settings: Settings,
    bootstrap: str,
    lines: Iterator[Line],
    file: BinaryIO,
    result: Result,
    wish: Wish,
    say: Say,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    # kafka-python takes a third of a second to import, and --check needs none of it.
    from kafka.errors import KafkaError

    from ..topic.client import client_config, end_offsets, explained
    from .sender import LineSender

    config = client_config(settings.kafka, bootstrap)
    end_offsets(config, result.topic)  # says so when there is no such topic
    sender: Any = None
    try:
        with explained(config, f"sending to topic {result.topic}"):
            sender = LineSender(config, result.topic)
            pace: Pace | None = None
            begin = 0.0
            for line in lines:
                if line.value is None:
                    continue
                if pace is None:
                    pace, begin = _pace(wish, line, file, say, result.topic), monotonic()
                due = begin + pace(result.sent, line.time)
                while (left := due - monotonic()) > 0:
                    sender.settle()
                    sleep(min(left, WAIT_S))
                sender.send(line.value, line.key)
                result.sent += 1
            sender.drain()
    except KeyboardInterrupt:
        if sender is not None:
            with suppress(KafkaError):
                sender.drain(STOP_S)
        raise
    except EcomLiteError as error:
        if sender is None:
            raise
        raise EcomLiteError(f"{error}; {sender.acknowledged:,} of {result.sent:,} events were acknowledged before") from error
    finally:
        if sender is not None:
            result.acknowledged = sender.acknowledged
            sender.close()


Pace = Callable[[int, datetime | None], float]  # (number of the event, its time) -> seconds after the first one


def _pace(wish: Wish, first: Line, file: BinaryIO, say: Say, topic: str) -> Pace:
    """When each event is due; says what it is going to do."""
    if isinstance(wish.rate, float):
        rate = wish.rate
        say(f"sending to topic {topic}: {rate:g} events per second")
        return lambda number, time: number / rate
    if wish.rate == "max" or (wish.speed is None and first.time is None):
        say(f"sending to topic {topic}: as fast as it goes")
        return lambda number, time: 0.0
    speed = wish.speed or 1.0
    last = last_time(file, utc_now())
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


def _counted(lines: Iterator[Line], result: Result, say: Say) -> Iterator[Line]:
    """The same lines; those that break the contract are counted, and the first of them named."""
    for line in lines:
        result.lines += 1
        result.unsent += line.value is None
        if line.problem is not None:
            if result.broken < NAMED:
                fate = "" if result.checked else " (not sent)" if line.value is None else " (will be a dead letter)"
                say(f"line {line.number:,}: {line.problem}{fate}")
            elif result.broken == NAMED:
                say("further lines that break the contract are only counted")
            result.reasons[line.problem.reason] += 1
        yield line
