"""The alerts of one run: rules read before anything starts, evaluated and told by jobs of the schedule that hold up nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from ..alerts.rules import Rule, read_rules
from ..contract.events import utc_now
from ..settings.bundled import bundled
from ..settings.tree import Settings
from .reach import Reach

if TYPE_CHECKING:  # imported with the first evaluation: the start of a run does without
    from ..alerts.delivery import Delivery
    from ..alerts.evaluator import Evaluator
    from ..alerts.store import Change
    from ..observe.figures import AlertFigures
    from ..supervise.schedule import Schedule

TELL_EVERY_S: Final = 1.0
WEBHOOK_ATTEMPTS: Final = 20  # the last ones five minutes apart: an hour in all
TOPIC, WEBHOOK = "topic", "webhook"


def rules_of(settings: Settings) -> list[Rule]:
    """Those that come with the program, and the user's. Raises ConfigError."""
    return read_rules(bundled("alerts"), settings.alerts.folder)


class Alerting:
    """`where` is asked once the servers are up; `began` in epoch seconds. Raises ConfigError where a rule is wrong."""

    def __init__(self, settings: Settings, where: Callable[[], Reach], began: float) -> None:
        self._settings = settings
        self._where = where
        self._began = datetime.fromtimestamp(began, UTC)
        self._rules = rules_of(settings) if settings.alerts.enabled else []
        self._evaluator: Evaluator | None = None
        self._deliveries: dict[str, Delivery] = {}

    @property
    def figures(self) -> Mapping[str, AlertFigures]:
        """How each alert stands. For any thread."""
        return {} if self._evaluator is None else self._evaluator.figures

    def news(self) -> Sequence[Change]:
        """Alerts that fire or are over since it was last asked."""
        return [] if self._evaluator is None else self._evaluator.news()

    def register(self, schedule: Schedule) -> None:
        """The first evaluation comes after the first interval: it takes nothing from the start of the run."""
        if not self._rules:
            return
        alerts = self._settings.alerts
        tick_s = min([alerts.every_s, *(rule.every_s for rule in self._rules if rule.every_s is not None)])
        schedule.every("alerts", tick_s, self._evaluate)
        for name in self._outlets():
            schedule.every(f"alerts to the {name}", TELL_EVERY_S, partial(self._tell, name))

    def _outlets(self) -> list[str]:
        return [TOPIC, *([WEBHOOK] if self._settings.alerts.webhook.get_secret_value() else [])]

    def _evaluate(self) -> None:
        if self._evaluator is None:
            self._evaluator = self._make()
        self._evaluator.round(utc_now())

    def _tell(self, name: str) -> None:
        delivery = self._deliveries.get(name)
        if delivery is not None:  # made with the evaluator
            delivery.deliver()

    def _make(self) -> Evaluator:
        from ..alerts.delivery import Delivery, Patience
        from ..alerts.evaluator import Evaluator, Limits
        from ..alerts.question import Given
        from ..alerts.topic_outlet import TopicOutlet
        from ..alerts.webhook import Webhook

        settings, wanted, address = self._settings, self._settings.alerts, self._where().address
        limits = Limits(
            every_s=wanted.every_s, timeout_s=wanted.timeout_s, zone=settings.shop.time_zone,
            given=Given(marts_every_s=settings.transform.every_s),
        )  # fmt: skip
        writer = address.only("ecom_stream")
        made = {TOPIC: Delivery(writer, TopicOutlet(wanted.topic, lambda: self._where().client), Patience())}
        if url := wanted.webhook.get_secret_value():
            hook = Webhook(url, wanted.webhook_header.get_secret_value(), wanted.webhook_timeout_s)
            made[WEBHOOK] = Delivery(writer, hook, Patience(most=WEBHOOK_ATTEMPTS))
        self._deliveries = made

        def wake() -> None:
            for delivery in made.values():
                delivery.wake()

        return Evaluator(address, self._rules, limits, settings.data_dir, self._began, list(made), wake)
