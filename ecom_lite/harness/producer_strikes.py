"""What each scenario does to its round of the producer. Every one returns whether the strike really happened."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Final

from .kafka_proxy import KafkaProxy, RequestTrap
from .loaders import Victim, kill_beside
from .producer_plan import ProducerPhase
from .producer_rounds import PATIENCE_S, ProducerRound


def strike_producer(round_: ProducerRound, phase: ProducerPhase) -> bool:
    """Play one phase up to the point where nothing but sending is left to do."""
    return _STRIKES[phase.scenario](round_, phase)


def _at_the_point(round_: ProducerRound, victim: Victim) -> bool:
    return round_.happens(victim, lambda: victim.struck, "the producer to come to the point of the strike")


def _killed_at(round_: ProducerRound, point: str, nth: int) -> bool:
    victim = round_.start(strike={"point": point, "nth": nth, "act": "kill"})
    if not _at_the_point(round_, victim):
        return False
    victim.wait_killed()
    return True


def _kill(round_: ProducerRound, phase: ProducerPhase) -> bool:
    return _killed_at(round_, phase.point, phase.nth)


def _kill_in_recovery(round_: ProducerRound, phase: ProducerPhase) -> bool:
    """The one before it has died with something acknowledged that its ledger does not have."""
    return _killed_at(round_, "acknowledged", 1) and _killed_at(round_, phase.point, phase.nth)


def _trapped(round_: ProducerRound, phase: ProducerPhase, what: str, kill: bool) -> tuple[KafkaProxy, bool]:
    """The proxy, and whether it has struck."""
    victims: list[Victim] = []
    proxy = round_.proxy(RequestTrap(what, phase.nth, phase.share), lambda: victims[0].kill() if kill else None)
    victims.append(round_.start(proxy=proxy))
    if not round_.happens(victims[0], proxy.struck.is_set, f"produce request #{phase.nth}"):
        return proxy, False
    if kill:
        victims[0].wait_killed()
    return proxy, True


def _kill_sent(round_: ProducerRound, phase: ProducerPhase) -> bool:
    return _kill(round_, phase) if phase.point == "sent" else _trapped(round_, phase, "pass", kill=True)[1]


def _kill_before_answer(round_: ProducerRound, phase: ProducerPhase) -> bool:
    return _trapped(round_, phase, "answer", kill=True)[1]


def _lost_answer(round_: ProducerRound, phase: ProducerPhase) -> bool:
    return _trapped(round_, phase, "mute" if phase.point == "no answer" else "answer", kill=False)[1]


def _cut(round_: ProducerRound, phase: ProducerPhase) -> bool:
    return _trapped(round_, phase, "cut", kill=False)[1]


def _late_request(round_: ProducerRound, phase: ProducerPhase) -> bool:
    proxy, held = _trapped(round_, phase, "hold", kill=True)
    if not held:
        return False
    heir = round_.start(strike={"point": "encoded", "nth": 1, "act": "wait"})
    if not _at_the_point(round_, heir):  # it has read where the topic ends, and sent nothing
        return False
    came = proxy.release()
    heir.go_on()
    return came


def _engine_kill(round_: ProducerRound, phase: ProducerPhase) -> bool:
    engine = round_.servers.postgres if phase.scenario == "ledger-kill" else round_.servers.kafka
    victim = round_.start(strike={"point": phase.point, "nth": phase.nth, "act": "wait"})
    if not _at_the_point(round_, victim):
        return False
    kill_beside(engine, victim)
    return True


def _kill_both(round_: ProducerRound, phase: ProducerPhase) -> bool:
    victim = round_.start(strike={"point": phase.point, "nth": phase.nth, "act": "wait"})
    if not _at_the_point(round_, victim):
        return False
    round_.servers.kafka.kill()
    victim.kill()
    round_.start()
    round_.servers.kafka.start()
    return True


def _stale_sender(round_: ProducerRound, phase: ProducerPhase) -> bool:
    stale = round_.start(strike={"point": phase.point, "nth": phase.nth, "act": "stop"})
    if not _at_the_point(round_, stale):
        return False
    round_.end_sessions()  # what a network does to one that stalls for long
    heir = round_.start(strike={"point": "encoded", "nth": 1, "act": "wait"})
    if not _at_the_point(round_, heir):
        return False
    stale.signal(signal.SIGCONT)
    together = phase.share < 0.5
    if together:
        heir.go_on()
    stale.wait_refused(PATIENCE_S)
    if not together:
        heir.go_on()
    return True


_STRIKES: Final[dict[str, Callable[[ProducerRound, ProducerPhase], bool]]] = {
    "producer-encoded": _kill,
    "producer-sent": _kill_sent,
    "producer-answer": _kill_before_answer,
    "producer-acknowledged": _kill,
    "producer-booked": _kill,
    "producer-recovery": _kill_in_recovery,
    "late-request": _late_request,
    "lost-answer": _lost_answer,
    "cut-produce": _cut,
    "broker-kill": _engine_kill,
    "broker-and-producer": _kill_both,
    "ledger-kill": _engine_kill,
    "stale-sender": _stale_sender,
}
