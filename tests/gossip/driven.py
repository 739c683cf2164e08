"""A driver of the protocol, with a core that says what the test wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from attrs import define, field

from twisted.internet.defer import Deferred

from e2d.gossip.datagrams import Datagrams
from e2d.gossip.dialling import Dialler
from e2d.gossip.driver import Driver
from e2d.swim.effects import Effect, News
from e2d.swim.messages import PushPull
from e2d.swim.protocol import Swim
from e2d.testing.datagrams import MemoryDatagramPort
from tests.gossip.rings import PORT
from tests.gossip.streams import HERE, StreamTestCase


@define(eq=False)
class Core:
    """
    A core that says what the test wants.

    :ivar says: what each call but `send_failed` returns; called anew each time.
    :ivar due: the next timer, and
    :ivar next_due: the one after it.
    :ivar calls: what it was told.
    """

    says: Callable[[], list[Effect]] = list
    after_failure: Callable[[], list[Effect]] = list
    due: float | None = None
    next_due: float | None = None
    calls: list[tuple[object, ...]] = field(factory=list)

    def start(self, now: float) -> list[Effect]:
        """Note it."""
        self.calls.append(("start", now))
        return self.says()

    def update(self, meta: bytes, now: float) -> list[Effect]:
        """Note it."""
        self.calls.append(("update", meta, now))
        return self.says()

    def handle_timer(self, now: float) -> list[Effect]:
        """Note it."""
        self.calls.append(("timer", now))
        self.due, self.next_due = self.next_due, None
        return self.says()

    def send_failed(self, to: object, now: float, *, remote: bool) -> list[Effect]:
        """Note it."""
        self.calls.append(("failed", to, remote, now))
        return self.after_failure()

    def state_answered(
        self, exchange: object, remote: PushPull, now: float
    ) -> list[Effect]:
        """Note it."""
        self.calls.append(("answered", exchange, remote, now))
        return self.says()

    def stream_ping_answered(self, sequence: int, now: float) -> list[Effect]:
        """Note it."""
        self.calls.append(("acked", sequence, now))
        return self.says()

    def next_timer(self) -> float | None:
        """What the test says."""
        return self.due


class DriverTestCase(StreamTestCase):
    """A driver, on the network of streams; what datagrams it sends is kept."""

    def setUp(self) -> None:
        """It was not started."""
        super().setUp()
        self.batches: list[list[News]] = []
        self.outcomes: list[str | None] = []
        self.on_news: Callable[[Sequence[News]], None] = lambda _news: None
        self.core = Core()
        self.datagrams = Datagrams(lambda _packet, _source: None, self.traffic)
        self.port = MemoryDatagramPort(self.datagrams, HERE, PORT, 65536)
        self.port.startListening()
        self.driver = self.make(cast("Swim", self.core))

    def make(self, swim: Swim) -> Driver:
        """Drive this."""
        return Driver(
            conduct=self.conduct,
            swim=swim,
            datagrams=self.datagrams,
            dialler=Dialler(self.here, self.conduct, self.traffic),
            traffic=self.traffic,
            complaints=self.complaints,
            news=self.hear,
            outcome=lambda _to, why: self.outcomes.append(why),
        )

    def hear(self, news: Sequence[News]) -> None:
        """Keep it, and do what the test says."""
        self.batches.append([*news])
        self.on_news(news)

    def tearDown(self) -> None:
        """Stop it; nothing is left."""
        stopping = Deferred.fromCoroutine(self.driver.stop())
        self.network.advance(0.1)
        self.successResultOf(stopping)
        self.assertEqual(self.leftovers(), [])

    def says(self, *effects: Effect) -> None:
        """The core says this once."""
        pending = [[*effects]]
        self.core.says = lambda: pending.pop() if pending else []
