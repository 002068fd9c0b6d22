"""What a run makes for quicker starts, in the background."""

from threading import Event, Thread

import pytest

from ecom_lite.errors import EngineError
from ecom_lite.run.quicken import Quicken

PATIENCE_S = 20.0


class Server:
    """Its class list is long enough from the `listed`th look on; `error` is what the archive fails with."""

    def __init__(self, name: str, listed: int = 1, error: str = "", others: int = 0) -> None:
        self.name = name
        self.archive_missing = True
        self.looks = 0
        self.builds = 0
        self.done = Event()
        self._listed = listed
        self._error = error
        self._others = others  # so often another process is at it

    def list_classes(self) -> bool:
        self.looks += 1
        return self.looks >= self._listed

    def build_archive(self, stop: Event | None = None) -> bool:
        self.builds += 1
        if self._error:
            self.done.set()
            raise EngineError(self._error)
        if self.builds <= self._others:
            return False
        self.archive_missing = False
        self.done.set()
        return True


def test_each_archive_that_is_missing_is_made_and_told() -> None:
    late, there, other = Server("Kafka", listed=3), Server("Spark"), Server("Spark", others=2)
    there.archive_missing = False
    part, stop = Quicken([late, there, other], settle_s=0, again_s=0), Event()
    part.start()
    assert part.health().ok and "later starts will be quicker" in part.health().detail
    thread = Thread(target=part.run, args=(stop,))
    thread.start()
    assert late.done.wait(PATIENCE_S) and other.done.wait(PATIENCE_S)
    stop.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive() and (late.looks, late.builds, other.builds, there.looks) == (3, 1, 3, 0)
    assert "class archive was made" in part.health().detail


def test_an_archive_that_cannot_be_made_ends_no_run() -> None:
    broken, fine, stop = Server("Kafka", error="no room on the disk"), Server("Spark"), Event()
    part = Quicken([broken], settle_s=0, again_s=0)
    thread = Thread(target=part.run, args=(stop,))
    thread.start()
    assert broken.done.wait(PATIENCE_S)
    stop.set()
    thread.join(PATIENCE_S)
    assert part.health().ok and part.health().detail == "no class archive for Kafka: no room on the disk"
    assert broken.builds == 1 and fine.builds == 0


@pytest.mark.parametrize("settle_s", [0.0, 60.0], ids=["at work", "waiting"])
def test_it_ends_with_the_run(settle_s: float) -> None:
    never, stop = Server("Kafka", listed=1_000_000_000), Event()
    part = Quicken([never], settle_s=settle_s, again_s=0 if not settle_s else 60)
    thread = Thread(target=part.run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(PATIENCE_S)
    part.stop()
    part.stop()
    assert not thread.is_alive() and never.builds == 0
