"""The loop of one node: observe, decide, act; and what it tells and is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import define, evolve, field, frozen

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from e2d.cluster.announcing import announcement, farewell
from e2d.cluster.observation import Observation
from e2d.cluster.pausing import pause_in_force
from e2d.cluster.planning import plan, safe_to_stop
from e2d.cluster.policy import Policy
from e2d.cluster.reasons import Code
from e2d.cluster.report import (
    ClusterReport,
    Decision,
    NodeReport,
    PlanReport,
    Report,
)
from e2d.cluster.ring_report import RingReport
from e2d.convergence.acting import DONE, Actor, StepFailed
from e2d.convergence.observing import Observer
from e2d.convergence.pulse import Pulse, describe_error
from e2d.convergence.telling import (
    EtcdIdentity,
    abandoned_report,
    child_report,
    cluster_report,
    describe_data,
    facts,
    failed_report,
    plan_report,
)
from e2d.convergence.telling_ring import ring_report, ring_warnings
from e2d.interfaces import (
    IDaemonControl,
    IDaemonView,
    IEtcdDataDirectory,
    IEtcdServer,
    IMembership,
)
from e2d.model import Announcement, Pause, Serving
from e2d.services import Repeater

__all__ = ["ConvergenceService", "NodeSettings"]

FAILED = Code.STEP_FAILED.value
STARTING = Code.STARTING.value

RING_SECONDS = 1.0
"""Nothing in the ring is so urgent that it could not wait for what else there is."""

DECISIONS_KEPT = 100
"""Enough for a night of trouble, and a few hundred kilobytes at the worst."""


@frozen(kw_only=True)
class NodeSettings:
    """
    What stays the same of this node while the daemon runs: for the report.
    """

    cluster_name: str
    e2d_version: str
    pid: int
    started_at: datetime
    config: str
    socket: str
    client_url: str


_NOTHING_YET = PlanReport(
    kind="acting",
    code=None,
    reason="the first look is under way",
    remedy=None,
    steps=(),
    look_again_seconds=0.0,
)

_RESTARTING = evolve(_NOTHING_YET, reason="etcd was stopped to be started again")


@implementer(IDaemonView, IDaemonControl)
@define(eq=False, kw_only=True)
class ConvergenceService(Service):
    """
    Looks, decides and acts, at once when there is news and every few seconds anyway.

    :param binary: the configured etcd, and
    :param extra_warnings: what else to warn of, asked at each report: a reload changes
        them.
    :param membership: the ring, None where this node does not gossip.
    """

    _clock: IReactorTime
    _wall_clock: Callable[[], datetime]
    _policy: Policy
    _settings: NodeSettings
    _observer: Observer
    _actor: Actor
    _server: IEtcdServer
    _directory: IEtcdDataDirectory
    _binary: Callable[[], str]
    _extra_warnings: Callable[[], Sequence[str]]
    _membership: IMembership | None = None
    _log: Logger = field(factory=Logger)
    _repeater: Repeater = field(init=False)
    _adopted: bool = field(default=False, init=False)
    _observation: Observation | None = field(default=None, init=False)
    _announced: Announcement | None = field(default=None, init=False)
    _news: IDelayedCall | None = field(default=None, init=False)
    _plan: PlanReport = field(default=_NOTHING_YET, init=False)
    _decisions: deque[Decision] = field(
        factory=lambda: deque(maxlen=DECISIONS_KEPT), init=False
    )
    _said: tuple[object, ...] = field(default=(), init=False)
    _failing: tuple[str, ...] = field(default=(), init=False)
    _pulse: Pulse = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pulse = Pulse(self._clock.seconds())
        self._repeater = Repeater(clock=self._clock, turn=self._turn)

    # -- IService ---------------------------------------------------------------

    def startService(self) -> None:
        """Take the first turn at once."""
        super().startService()
        self._server.subscribe(self._repeater.wake)
        if self._membership is not None:
            self._membership.subscribe(self._ring_changed)
        self._repeater.start()

    def stopService(self) -> Deferred[None]:
        """Fires when no turn is under way; etcd is left as it is."""
        super().stopService()
        if self._news is not None and self._news.active():
            self._news.cancel()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._repeater.stop()
        if self._membership is not None and self._announced is not None:
            self._membership.announce(farewell(self._announced))

    def _ring_changed(self) -> None:
        """A ring in turmoil has news all the time: they are looked at once a second."""
        if self.running and not (self._news is not None and self._news.active()):
            self._news = self._clock.callLater(RING_SECONDS, self._repeater.wake)

    # -- the turn ---------------------------------------------------------------

    async def _turn(self) -> float:
        self._pulse.began(self._clock.seconds())
        try:
            look_again = await self._look_decide_act()
        except BaseException as error:
            self._pulse.broke(self._clock.seconds(), error)
            self._announce(abandoned_report(describe_error(error)))
            raise
        self._pulse.ended(self._clock.seconds(), self._wall_clock(), look_again)
        return look_again

    async def _look_decide_act(self) -> float:
        if not self._adopted:
            self._adopted = await self._actor.adopt()
        observation = await self._observer.observe(self._actor.recorded)
        decided = plan(observation, self._policy)
        report = plan_report(decided)
        self._observation = observation
        self._announce(report)
        self._gossip(observation)
        try:
            outcome = await self._actor.perform(decided)
        except StepFailed as error:
            outcome = str(error)
            report = failed_report(error.step, outcome, decided.look_again)
            self._announce(report)
        self._remember(report, observation, outcome)
        # What was done changed what is seen: see it at once.
        return 0.0 if outcome == DONE else decided.look_again

    def _gossip(self, observation: Observation) -> None:
        """Say in the ring what this node is."""
        if self._membership is None:
            return
        said = announcement(
            observation, etcd_version=self._server.version(), before=self._announced
        )
        if said is not None:
            self._announced = said
            self._membership.announce(said)

    def _announce(self, report: PlanReport) -> None:
        """Show it; and say it, if it is not what was said before."""
        self._plan = report
        if report.kind == "acting" and report.steps == self._failing:
            return  # tried again, as often before: said when the outcome changes
        if _essence(report) == self._said:
            return
        self._said = _essence(report)
        self._failing = report.steps if report.code == FAILED else ()
        self._say(report)

    def _say(self, report: PlanReport) -> None:
        if report.code is None:
            self._log.info(
                "{reason}", reason=report.reason, step="; ".join(report.steps)
            )
        elif report.kind == "halt" or report.remedy is not None:
            self._log.warn(
                "{code}: {reason}. What to do: {remedy}",
                code=report.code,
                reason=report.reason,
                remedy=report.remedy or "wait",
            )
        else:
            self._log.info("{code}: {reason}", code=report.code, reason=report.reason)

    def _remember(
        self, report: PlanReport, observation: Observation, outcome: str
    ) -> None:
        last = self._decisions[-1] if self._decisions else None
        if (
            last is not None
            and _essence(last.plan) == _essence(report)
            and last.outcome == outcome
        ):
            return
        self._decisions.append(
            Decision(
                at=self._wall_clock(),
                plan=report,
                observation=tuple(facts(observation)),
                outcome=outcome,
            )
        )

    # -- IDaemonView ------------------------------------------------------------

    def report(self) -> Report:
        """See `IDaemonView.report`."""
        observation = self._observation
        now = self._clock.seconds()
        settings = self._settings
        loop = self._pulse.report(now)
        ring = self._ring(now)
        return Report(
            at=self._wall_clock(),
            node=NodeReport(
                name=None if observation is None else observation.local,
                node_id=None if observation is None else observation.node_id,
                cluster_name=settings.cluster_name,
                e2d_version=settings.e2d_version,
                pid=settings.pid,
                started_at=settings.started_at,
                data_dir=self._directory.path,
                config=settings.config,
                socket=settings.socket,
            ),
            child=child_report(self._server.state(), now, self._identity()),
            cluster=ClusterReport(status=None, members=None, alarms=None)
            if observation is None
            else cluster_report(observation),
            data="not read yet"
            if observation is None
            else describe_data(observation.data),
            plan=self._plan,
            loop=loop,
            pause=None
            if observation is None
            else pause_in_force(observation.pause, observation.now_at, self._policy),
            safe_to_stop=observation is not None
            and loop.problem is None
            and safe_to_stop(observation),
            warnings=(
                *self._server.warnings(),
                *filter(None, [self._actor.warning]),
                *ring_warnings(ring),
                *self._extra_warnings(),
            ),
            ring=ring,
        )

    def decisions(self) -> Sequence[Decision]:
        """See `IDaemonView.decisions`."""
        return tuple(self._decisions)

    def alive(self) -> bool:
        """See `IDaemonView.alive`."""
        return self._pulse.stuck(self._clock.seconds()) is None

    def _ring(self, now: float) -> RingReport | None:
        if self._membership is None:
            return None
        local = None if self._observation is None else self._observation.local
        return ring_report(self._membership.view(), now, local)

    def _identity(self) -> EtcdIdentity:
        return EtcdIdentity(
            binary=self._binary(),
            version=self._version(),
            client_url=self._settings.client_url,
            peer_url=self._policy.peer_url,
            starts=self._actor.starts,
        )

    def _version(self) -> str | None:
        """Of the etcd that runs, as it says itself; else of what is installed."""
        observation = self._observation
        if (
            observation is not None
            and observation.status is not None
            and isinstance(self._server.state(), Serving)
        ):
            return observation.status.version
        installed = self._server.version()
        return None if installed is None else str(installed)

    # -- IDaemonControl -----------------------------------------------------------

    async def pause(self, pause: Pause) -> None:
        """See `IDaemonControl.pause`."""
        await self._directory.record_pause(pause)
        self._log.info(
            "Paused until {until} by {by}: {reason}",
            until=pause.until_at.isoformat(),
            by=pause.by,
            reason=pause.reason,
        )
        self._repeater.wake()

    async def resume(self, by: str) -> Pause | None:
        """See `IDaemonControl.resume`."""
        # From disk: no turn need have seen it yet.
        recorded = await self._observer.pause()
        now_at = self._wall_clock()
        ended = pause_in_force(recorded, now_at, self._policy)
        if ended is None:
            return None
        # Over, not absent: with recovery.observe, absent would mean "born paused".
        await self._directory.record_pause(Pause(until_at=now_at, by=by))
        self._log.info("Resumed by {by}", by=by)
        self._repeater.wake()
        return ended

    async def restart_etcd(self, by: str) -> None:
        """See `IDaemonControl.restart_etcd`."""
        self._log.info("Restart of etcd asked for by {by}", by=by)
        self._server.forgive()
        await self._server.stop()
        # What was decided about the etcd that was stopped is no answer any more.
        self._plan = _RESTARTING
        self._repeater.wake()


def _essence(report: PlanReport) -> tuple[object, ...]:
    """A plan without what moves on its own: times in its reason, when to look again."""
    reason = "" if report.code == STARTING else report.reason
    # The step of a plan that waits repeats its reason.
    steps = report.steps if report.kind == "acting" else ()
    return (report.kind, report.code, steps, report.remedy, reason)
