"""
Asks every source where other nodes are, for as long as e2d runs.

Note [The last answer stands]
    A source that could not tell says nothing about anybody, so what it last found is
    kept until it tells again. Whom that names may be gone by then: to try to meet them
    costs a connection, and to forget them may cost a cluster that finds together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from attrs import define, field

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from e2d.interfaces.membership import DiscoveryFailed, IDiscovery
from e2d.model import Address
from e2d.services import Backoff, Repeater

__all__ = ["Lookup", "Lookups"]

ANSWER_SECONDS = 30.0
"""A program or a cloud's API that takes longer will not answer at all."""

MOST_FOUND = 1024
"""More than any ring of etcd's has nodes."""

JITTER = 0.2
"""Nodes that were started together should not ask together for ever."""

FIRST_RETRY_SECONDS = 1.0


@define(eq=False, kw_only=True)
class Lookup:
    """
    Asks one source again and again.

    :param interval: from an answer to the next question, in seconds.
    :param changed: called when something else is found.
    """

    _clock: IReactorTime
    _source: IDiscovery
    _interval: float
    _random: Random
    _changed: Callable[[], None]
    _log: Logger = field(factory=Logger)
    _repeater: Repeater = field(init=False)
    _asking: Deferred[Sequence[Address]] | None = field(default=None, init=False)
    _stopping: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)
    _found: tuple[Address, ...] | None = field(default=None, init=False)
    _problem: str | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._repeater = Repeater(
            clock=self._clock, turn=self._turn, after_failure=self._interval
        )

    @property
    def label(self) -> str:
        """What is asked, for people."""
        return str(self._source.label)

    @property
    def found(self) -> tuple[Address, ...] | None:
        """What was found when it last could tell, in an order that stays."""
        return self._found

    @property
    def problem(self) -> str | None:
        """Why it could not tell when last asked."""
        return self._problem

    def start(self) -> None:
        """Ask at once."""
        self._stopping = False
        self._repeater.start()

    def stop(self) -> Deferred[None]:
        """Fires when it is not asked any more."""
        self._stopping = True
        stopped = self._repeater.stop()
        if self._asking is not None:
            self._asking.cancel()
        return stopped

    async def _turn(self) -> float:
        try:
            answer = await self._ask()
        except DiscoveryFailed as failed:
            return self._could_not_tell(failed.reason)
        except TimedOut:
            return self._could_not_tell(f"no answer in {ANSWER_SECONDS:g} seconds")
        except CancelledError:
            if self._stopping:
                return self._interval
            return self._could_not_tell("the question was given up")
        except BaseException:
            self._problem = f"{self.label}: a defect; the log has its trace"
            raise
        self._told(answer)
        wait = Backoff(initial=self._interval, maximum=self._interval, jitter=JITTER)
        return wait.delay(1, self._random)

    async def _ask(self) -> Sequence[Address]:
        self._asking = Deferred.fromCoroutine(self._source.discover())
        self._asking.addTimeout(ANSWER_SECONDS, self._clock)  # type: ignore[unused-awaitable]
        try:
            return await self._asking
        finally:
            self._asking = None

    def _could_not_tell(self, reason: str) -> float:
        self._failures += 1
        problem = f"{self.label}: {reason}"
        if problem != self._problem:
            self._log.warn(
                "Could not look up other nodes: {problem}; it is tried again",
                problem=problem,
            )
        self._problem = problem
        retry = Backoff(
            initial=min(FIRST_RETRY_SECONDS, self._interval),
            maximum=self._interval,
            jitter=JITTER,
        )
        return retry.delay(self._failures, self._random)

    def _told(self, answer: Sequence[Address]) -> None:
        found = tuple(sorted(set(answer), key=lambda one: (one.host, one.port)))
        if self._problem is not None:
            self._log.info(
                "Other nodes can be looked up again: {label}", label=self.label
            )
        self._failures = 0
        self._problem = None
        if len(found) > MOST_FOUND:
            self._problem = (
                f"{self.label}: it names {len(found)} addresses, of which {MOST_FOUND}"
                " are tried; let it name fewer"
            )
            found = found[:MOST_FOUND]
        if found != self._found:
            self._found = found
            self._log.info(
                "Found {count} gossip addresses: {label}",
                count=len(found),
                label=self.label,
            )
            self._changed()


@define(eq=False)
class Lookups(Service):
    """
    Asks all sources all the time, each on its own: one that hangs holds up no other.

    :param interval: of ``discovery.interval``, in seconds.
    :param changed: called after something else was found.
    """

    _clock: IReactorTime
    _sources: Sequence[IDiscovery]
    _interval: float
    _random: Random
    _changed: Callable[[], None]
    _lookups: tuple[Lookup, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._lookups = tuple(
            Lookup(
                clock=self._clock,
                source=source,
                interval=self._interval,
                random=self._random,
                changed=self._changed,
            )
            for source in self._sources
        )

    def startService(self) -> None:
        """Ask all of them at once."""
        super().startService()
        for lookup in self._lookups:
            lookup.start()

    def stopService(self) -> Deferred[None]:
        """Fires when none is asked any more."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await gatherResults([lookup.stop() for lookup in self._lookups])

    def found(self) -> tuple[tuple[str, tuple[Address, ...] | None], ...]:
        """
        What each source found when it last could tell, beside its label.

        None: it never could; which is not "there are none".
        """
        return tuple((lookup.label, lookup.found) for lookup in self._lookups)

    def problems(self) -> tuple[str, ...]:
        """One line for each source that could not tell when last asked."""
        return tuple(
            lookup.problem for lookup in self._lookups if lookup.problem is not None
        )
