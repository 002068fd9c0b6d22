"""What each scenario does to its round. Every one returns whether the strike really happened."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .loaders import Victim, kill_beside, wait_for
from .plan import Phase
from .proxy import Proxy, Trap
from .recount import Lost
from .rounds import PATIENCE_S, Round

HEIR_S: Final = 40.0  # some ten, and what a busy machine adds
BYTES_PER_ROW: Final = 100  # of a COPY, about
DISK_FULL: Final = ("No space left on device", "the disk is full, says the harness")  # in the loader's log
BALLAST_CHUNK: Final = 1 << 16
FULL: Final = """
CREATE FUNCTION ops.harness_full() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'the disk is full, says the harness' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER harness_full BEFORE INSERT ON ops.load_batches EXECUTE FUNCTION ops.harness_full()
"""


def strike(round_: Round, phase: Phase) -> bool:
    """Play one phase up to the point where nothing but loading is left to do."""
    return _STRIKES[phase.scenario](round_, phase)


def _act(phase: Phase, act: str) -> dict[str, object]:
    return {"point": phase.point, "nth": phase.nth, "act": act}


def _at_the_point(round_: Round, victim: Victim) -> bool:
    return round_.happens(lambda: victim.struck, "the loader to come to the point of the strike")


def _kill(round_: Round, phase: Phase) -> bool:
    victim = round_.load_and_start(phase, strike=_act(phase, "kill"))
    if not _at_the_point(round_, victim):
        return False
    victim.wait_killed()
    round_.start_again(phase)
    return True


def _lost_reply(round_: Round, phase: Phase, kill: bool = False) -> bool:
    victims: list[Victim] = []
    server = round_.servers.postgres
    trap = Trap("commit", phase.nth)
    proxy = Proxy((server.host, server.port), trap, lambda: victims[0].kill() if kill else None)
    victims.append(round_.load_and_start(phase, proxy=proxy))
    if not round_.happens(proxy.struck.is_set, "the COMMIT whose reply is lost"):
        return False
    if kill:
        victims[0].wait_killed()
        round_.start_again(phase)
    return True


def _kill_before_reply(round_: Round, phase: Phase) -> bool:
    return _lost_reply(round_, phase, kill=True)


def _cut_copy(round_: Round, phase: Phase) -> bool:
    server = round_.servers.postgres
    after = round_.draw.randint(1, BYTES_PER_ROW * round_.plan.batch_rows // 2)
    proxy = Proxy((server.host, server.port), Trap("copy", phase.nth, after))
    round_.load_and_start(phase, proxy=proxy)
    return round_.happens(proxy.struck.is_set, f"a COPY of more than {after} bytes")


def _engine_kill(round_: Round, phase: Phase) -> bool:
    engine = round_.servers.postgres if phase.scenario == "postgres-kill" else round_.servers.kafka
    victim = round_.load_and_start(phase, strike=_act(phase, "wait"))
    if not _at_the_point(round_, victim):
        return False
    kill_beside(engine, victim)
    return True


def _stale_owner(round_: Round, phase: Phase) -> bool:
    draw, portions = round_.draw, round_.portions(phase.records)
    later = len(portions) // 3
    round_.feed.send(portions[later:])
    stale = round_.start("one", strike=_act(phase, "stop"))
    if not _at_the_point(round_, stale):
        return False
    heir = round_.start("two", restart=True)
    # Where the stale owner holds the locks of its batch, the heir waits for them; else it has all partitions.
    query = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    wait_for([heir], lambda: heir.partitions == 4 or round_.ask(query), "the partitions to be taken over", PATIENCE_S)
    round_.feed.begin(portions[:later], draw.uniform(0.0, 0.03))
    if heir.partitions == 4 and draw.random() < 0.5:
        wait_for([heir], lambda: heir.log_has("loading") and round_.positions(), "the heir to load", PATIENCE_S)
    stale.signal(signal.SIGCONT)
    return True


def _never_back(round_: Round, phase: Phase) -> bool:
    gone = round_.load_and_start(phase, strike=_act(phase, "stop"))
    if not _at_the_point(round_, gone):
        return False
    began = time.monotonic()
    heir = round_.start_again(phase)
    wait_for([heir], lambda: heir.partitions == 4, "the partitions of a loader that is frozen to be its heir's", HEIR_S)
    round_.outcome.inherited_s = time.monotonic() - began
    wait_for([heir], round_.all_loaded, "all of the topic loaded", PATIENCE_S)
    gone.kill()
    return True


def _rebalance(round_: Round, phase: Phase) -> bool:
    draw = round_.draw
    steps = ["join", draw.choice(("join", "leave", "kill")), draw.choice(("leave", "kill")), "join"]
    portions = round_.portions(phase.records)
    round_.feed.send(portions[: len(portions) // 3])
    living = [round_.start("loader-0")]
    round_.feed.begin(portions[len(portions) // 3 :], draw.uniform(0.05, 0.2))
    for number, step in enumerate(steps, 1):
        wait_for(round_.victims, lambda: any(v.partitions for v in living), "a loader with partitions", PATIENCE_S)
        if step == "join":
            joined = round_.start(f"loader-{number}", restart=True)
            living.append(joined)
            wait_for(round_.victims, lambda joined=joined: joined.figures, "the new loader to speak", PATIENCE_S)  # type: ignore[misc]
        else:
            leaving = living.pop(draw.randrange(len(living)))
            if not living:
                living.append(round_.start(f"loader-{number}", restart=True))
            leaving.kill() if step == "kill" else leaving.let_finish()
    return True


def _disk_full(round_: Round, phase: Phase) -> bool:
    small = round_.servers.small_disk()
    ballast = None if small is None else small / "ballast"
    if ballast is not None:
        round_.execute("ALTER TABLE warehouse.fact_sales SET TABLESPACE small")
        round_.execute("ALTER INDEX IF EXISTS warehouse.fact_sales_pkey SET TABLESPACE small")
    else:
        round_.outcome.notes.append(f"a trigger says 53100: no small disk here ({round_.servers.small_disk_refused})")
    victim = round_.load_and_start(phase, strike=_act(phase, "wait"))
    if not _at_the_point(round_, victim):
        return False
    try:
        if ballast is None:
            round_.execute(FULL)
        else:
            _fill(ballast)
        victim.go_on()
        return round_.happens(lambda: any(map(victim.log_has, DISK_FULL)), "the loader to meet the full disk")
    finally:
        if ballast is None:
            round_.execute("DROP FUNCTION ops.harness_full CASCADE")
        else:
            ballast.unlink()


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (BALLAST_CHUNK, 1024, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue


def _refused(round_: Round, phase: Phase) -> bool:
    round_.load_and_start(phase)
    return True  # the round itself sees whether something was refused


def _retention(round_: Round, phase: Phase) -> bool:
    victim = round_.load_and_start(phase, strike=_act(phase, "kill"))
    if not _at_the_point(round_, victim):
        return False
    victim.wait_killed()
    round_.topic.read()  # the account needs what will be gone
    draw, positions, ends = round_.draw, round_.positions(), round_.topic.ends()
    behind = {p: positions.get(p, 0) for p, end in ends.items() if positions.get(p, 0) < end}
    chosen = draw.sample(sorted(behind), min(len(behind), draw.randint(1, 4)))
    cuts = {partition: draw.randint(behind[partition] + 1, ends[partition]) for partition in chosen}
    if not cuts:
        return False
    round_.topic.remove_before(cuts)
    for partition, cut in cuts.items():
        round_.lost.append(Lost(partition, behind[partition], cut))
        if partition not in positions:
            round_.first_offsets[partition] = cut  # never seen before: accounting begins after the gap
    round_.start_again(phase)
    return True


_STRIKES: Final[dict[str, Callable[[Round, Phase], bool]]] = {
    "kill-begun": _kill,
    "kill-copied": _kill,
    "kill-filled": _kill,
    "kill-reply": _kill_before_reply,
    "kill-committed": _kill,
    "lost-reply": _lost_reply,
    "cut-copy": _cut_copy,
    "postgres-kill": _engine_kill,
    "kafka-kill": _engine_kill,
    "stale-owner": _stale_owner,
    "never-back": _never_back,
    "rebalance": _rebalance,
    "disk-full": _disk_full,
    "refused": _refused,
    "retention": _retention,
}
