"""`python -m tests.faults.small_disk FOLDER`: a run whose disk fills and gets room again, in a folder on a small file system."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from kafka import KafkaProducer

from tests.runs import START_S, LightRun, wait_for

PAUSE, WAIT = 60, 80  # percent: early, so that the servers never meet a disk that is really full
LITTLE, NONE = 0.68, 0.88  # what is filled
FOREIGN: Final = 100
TICKS = 3  # so many seconds without a new event: the shop stands still, and has not only been slow


class Disk:
    """The file system of `folder`, and a file that fills it."""

    def __init__(self, folder: Path) -> None:
        self._filler = folder / "filler"

    def fill(self, share: float) -> None:
        total, used, _ = shutil.disk_usage(self._filler.parent)
        more = round(total * share) - used
        with self._filler.open("ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), max(1, more))

    def empty(self) -> None:
        self._filler.unlink()


class Story:
    def __init__(self, folder: Path) -> None:
        self.disk = Disk(folder)
        limits = {"ECOM_LITE_RUN__DISK_PAUSE_PERCENT": str(PAUSE), "ECOM_LITE_RUN__DISK_WAIT_PERCENT": str(WAIT)}
        self.run = LightRun(folder / "data", "--rate", "200", "--seed", "7", env=limits)
        self._sent = 0

    def until(self, what: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first state in which it holds."""

        def holds() -> dict[str, Any] | None:
            assert self.run.process.poll() is None, self.run.stderr
            state = self.run.state
            return state if condition(state) else None

        found: dict[str, Any] = wait_for(holds, lambda: f"{what}: {self.run.state}", START_S)
        room = found["room"]
        print(
            f"{what}: disk {room['percent']} %, {room['state']}; sent {found['sent']}, facts {found['facts']}, lag {found['lag']}"
        )
        return found

    def room(self, state: str) -> dict[str, Any]:
        return self.until(f"room is {state}", lambda now: bool(now["room"]["state"] == state))

    def still(self) -> dict[str, Any]:
        """The shop sends nothing and all it has sent is loaded."""
        since: dict[int, int] = {}  # by how many were sent: when that was first seen

        def quiet(now: dict[str, Any]) -> bool:
            began = since.setdefault(now["sent"], now["uptime_s"])
            return bool(now["uptime_s"] >= began + TICKS and now["own"] == now["sent"] > 0)

        return self.until("the shop stands still", quiet)

    def send(self) -> None:
        """Events of somebody else, whom nobody pauses."""
        producer = KafkaProducer(bootstrap_servers=self.run.state["bootstrap"])
        for number in range(self._sent, self._sent + FOREIGN):
            event = {
                "order_id": f"foreign-{number}", "user_id": number + 1, "product_id": 1, "product_title": "Thing",
                "category": "Things", "price": 2.5, "quantity": 2, "revenue": 5.0, "timestamp": "2026-01-05T12:00:00",
            }  # fmt: skip
            producer.send("ecommerce_events", json.dumps(event).encode())
        self._sent += FOREIGN
        producer.flush()
        producer.close()

    def tell(self) -> None:
        run, disk = self.run, self.disk
        run.wait_ready()
        self.until("facts come", lambda now: now["facts"] > 0)

        disk.fill(LITTLE)
        self.room("little")
        before = self.still()
        assert not before["paused"], "a person has not paused it"
        assert "the shop pauses until" in run.stderr and "disk" in run.verb("status").stdout
        assert "waiting for room on the disk" in run.verb("resume").stdout, "a person cannot make room by a word"
        self.send()  # the loaders are at work
        self.until("others' events are loaded", lambda now: bool(now["facts"] == before["facts"] + FOREIGN))

        disk.fill(NONE)
        self.room("none")
        # Only once it says so: it hears of the room a moment after the state file.
        self.until("the loader waits", lambda now: now["parts"]["load"]["detail"].startswith("waits for room: the disk of "))
        self.send()
        held = self.until("what came waits", lambda now: bool(now["lag"] == FOREIGN and not now["parts"]["load"]["ok"]))
        assert held["facts"] == before["facts"] + FOREIGN and held["sent"] == before["sent"]
        assert "it waits for room" in run.verb("refresh").stderr

        disk.empty()
        self.room("enough")
        self.until(
            "all goes on",
            lambda now: bool(
                now["sent"] > before["sent"] and now["parts"]["load"]["ok"] and now["facts"] >= before["facts"] + 2 * FOREIGN
            ),
        )
        wait_for(lambda: "room again" in run.stderr, "the word of it")

        assert run.verb("pause").returncode == 0
        self.still()
        disk.fill(LITTLE)
        self.room("little")
        disk.empty()
        kept = self.room("enough")
        assert kept["paused"], "only its own pause is ended by the run"
        assert run.verb("resume").returncode == 0
        self.until("the shop sends again", lambda now: bool(now["sent"] > kept["sent"]))


def main(folder: Path) -> int:
    story = Story(folder)
    try:
        story.tell()
        story.run.signal(signal.SIGTERM)
        story.run.wait()
        checked = story.run.verb("check")
        print(checked.stdout, checked.stderr)
        return checked.returncode
    finally:
        story.run.close()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
