# ruff: noqa: ARG001 - automat fixes the signatures of what a transition calls
"""
The states of etcd's process, and what each piece of news means in each of them.

An automat machine: what is done is in the module's functions, over a `Core` that holds
what they need. What takes time is done by whoever owns the machine, who then tells it
how it went.

Note [Work under way]: preparing a start and finding out why etcd ended take a while, in
pools and on disks. They are not cut short by a stop, which waits for their end: each is
bounded, and half of one is harder to undo than the whole.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from random import Random
from typing import Protocol

from attrs import define, evolve, field, frozen

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from e2d.etcd.child import Child
from e2d.etcd.diagnosis import Exit
from e2d.etcd.health import HealthWatch
from e2d.model import (
    Absent,
    ChildFailed,
    ChildProblem,
    ChildState,
    EtcdStatus,
    MemberID,
    ProblemKind,
    Serving,
    Starting,
    Stopping,
    format_id,
)
from e2d.services import Backoff

__all__ = ["Core", "Inputs", "Patience", "build_lifecycle"]


@frozen(kw_only=True)
class Patience:
    """
    How long the supervisor waits for what. All in seconds but the counts.

    :param stop: from SIGTERM to SIGKILL. etcd hands leadership over meanwhile, and the
        last of a cluster waits 7 s for that in vain.
    :param reap: from SIGKILL until it is said that etcd does not die (B10).
    :param health: between two health checks.
    :param misses: failed checks in a row after which etcd counts as not answering.
    :param steady: having served that long, etcd's earlier failures are forgotten.
    :param tries: failures in a row after which a person should look.
    """

    stop: float = 10.0
    reap: float = 30.0
    health: float = 60.0
    misses: int = 3
    steady: float = 60.0
    tries: int = 10


@define(eq=False)
class Core:
    """
    What the machine works on.

    :param diagnose: finds out why a process ended, and says `Inputs.diagnosed`.
    :param expected_member: whose data the directory holds, None if not known.
    :param withdrawn: `Inputs.terminate` came while work was under way.
    :param stuck: a line for the operator, when the process can't be killed.
    """

    clock: IReactorTime
    health: HealthWatch
    patience: Patience
    backoff: Backoff
    random: Random
    diagnose: Callable[[Exit], None]
    expected_member: Callable[[], MemberID | None]
    log: Logger
    visible: ChildState = field(factory=Absent)
    child: Child | None = None
    adopted: bool = False
    withdrawn: bool = False
    failures: int = 0
    misses: int = 0
    stuck: str | None = None
    timer: IDelayedCall | None = None
    waiting: list[Deferred[None]] = field(factory=list)
    listeners: list[Callable[[], None]] = field(factory=list)

    def show(self, state: ChildState) -> None:
        """Make a state visible, and tell whoever asked to be told."""
        if state == self.visible:
            return
        self.visible = state
        for listener in tuple(self.listeners):
            listener()

    def fail(self, problem: ChildProblem) -> None:
        """Count a failure and say when another start is worth trying."""
        self.failures += 1
        gave_up = self.failures >= self.patience.tries
        delay = self.backoff.delay(self.failures, self.random)
        if gave_up:
            delay = self.backoff.maximum
        # What happened and what to do is said by whoever decides, with its code.
        self.log.info(
            "etcd failed ({reason}, {times} in a row): not before {seconds} s again",
            reason=problem.kind.value,
            times=self.failures,
            seconds=round(delay, 1),
        )
        self.show(
            ChildFailed(
                times=self.failures,
                problem=problem,
                retry_at=self.clock.seconds() + delay,
                gave_up=gave_up,
            )
        )

    def let_go(self) -> None:
        """There is no process to watch any more."""
        self.health.stop()
        if self.timer is not None and self.timer.active():
            self.timer.cancel()
        self.timer = self.child = self.stuck = None

    def gone(self) -> None:
        """Nothing is left: tell those who wait for that."""
        self.withdrawn = False
        self.show(Absent())
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            each.callback(None)

    def foreign(self, status: EtcdStatus) -> str | None:
        """Why an answer is not our etcd's, None if it may be."""
        expected = self.expected_member()
        if expected is None or status.member_id == expected:
            return None
        return (
            f"member {format_id(status.member_id)} answers, "
            f"but the data is of member {format_id(expected)}"
        )


class Inputs(Protocol):
    """The news of etcd's process."""

    def begin(self) -> None:
        """A start or an adoption is being prepared."""

    def refused(self, problem: ChildProblem) -> None:
        """It came to nothing, for a reason."""

    def relinquish(self) -> None:
        """It came to nothing, and that is no failure."""

    def spawned(self, child: Child, adopted: bool) -> None:
        """There is a process."""

    def answered(self, status: EtcdStatus) -> None:
        """It answered a probe."""

    def ready(self) -> None:
        """It is ours and knows a leader."""

    def disowned(self, why: str) -> None:
        """It was adopted and is not ours."""

    def missed(self) -> None:
        """It did not answer a probe."""

    def exited(self, ended: Exit) -> None:
        """It has ended."""

    def diagnosed(self, problem: ChildProblem) -> None:
        """Why it ended is known."""

    def terminate(self) -> None:
        """It is to end, and nothing is to be started."""

    def insist(self) -> None:
        """It had the time it was given to end."""

    def forgive(self) -> None:
        """The failures so far do not count."""


_builder = TypeMachineBuilder(Inputs, Core)
_absent = _builder.state("absent")
_preparing = _builder.state("preparing")
_starting = _builder.state("starting")
_serving = _builder.state("serving")
_stopping = _builder.state("stopping")
_killing = _builder.state("killing")
_diagnosing = _builder.state("diagnosing")
_withdrawing = _builder.state("withdrawing")
_failed = _builder.state("failed")


@_absent.upon(Inputs.begin).to(_preparing)
@_failed.upon(Inputs.begin).to(_preparing)
def _begin(inputs: Inputs, core: Core) -> None:
    """What is visible stays as it is until there is news."""


@_preparing.upon(Inputs.refused).to(_failed)
@_diagnosing.upon(Inputs.diagnosed).to(_failed)
def _count(inputs: Inputs, core: Core, problem: ChildProblem) -> None:
    core.fail(problem)


@_withdrawing.upon(Inputs.refused).to(_absent)
@_withdrawing.upon(Inputs.diagnosed).to(_absent)
def _withdrawn(inputs: Inputs, core: Core, problem: ChildProblem) -> None:
    core.gone()


@_preparing.upon(Inputs.relinquish).to(_absent)
@_withdrawing.upon(Inputs.relinquish).to(_absent)
def _relinquish(inputs: Inputs, core: Core) -> None:
    core.gone()


@_preparing.upon(Inputs.spawned).to(_starting)
def _watch(inputs: Inputs, core: Core, child: Child, adopted: bool) -> None:
    core.child, core.adopted, core.misses = child, adopted, 0
    core.health.start(inputs.answered, inputs.missed)
    now = core.clock.seconds()
    core.show(Starting(pid=child.pid, since=now, adopted=adopted))


@_starting.upon(Inputs.answered).loop()
def _consider(inputs: Inputs, core: Core, status: EtcdStatus) -> None:
    why = core.foreign(status)
    if why is not None and core.adopted:
        inputs.disowned(why)
    elif why is not None:
        # Not ours, then: ours is about to say that it can't listen.
        core.log.debug("Not our etcd: {reason}", reason=why)
    elif status.leader is not None:
        inputs.ready()


@_starting.upon(Inputs.ready).to(_serving)
def _serve(inputs: Inputs, core: Core) -> None:
    assert isinstance(core.visible, Starting)
    core.health.ready()
    now, since = core.clock.seconds(), core.visible.since
    core.log.info(
        "etcd serves (pid {pid}), {seconds} s after its start",
        pid=core.visible.pid,
        seconds=round(now - since, 3),
    )
    core.show(Serving(pid=core.visible.pid, since=now, adopted=core.adopted))


@_starting.upon(Inputs.disowned).to(_failed)
def _disown(inputs: Inputs, core: Core, why: str) -> None:
    assert core.child is not None
    pid = core.child.pid
    core.child.abandon()
    core.let_go()
    core.fail(
        ChildProblem(
            kind=ProblemKind.DATA_LOCKED,
            message=f"an etcd (pid {pid}) uses the data directory, and {why}",
            remedy=f"find out whose it is before you stop it: kill {pid}",
        )
    )


@_starting.upon(Inputs.missed).loop()
def _be_patient(inputs: Inputs, core: Core) -> None:
    """It may take as long as it needs: a large database, a quorum to come."""


@_serving.upon(Inputs.answered).loop()
def _answers(inputs: Inputs, core: Core, status: EtcdStatus) -> None:
    if core.foreign(status) is not None:
        inputs.missed()
        return
    assert isinstance(core.visible, Serving)
    core.misses = 0
    core.show(evolve(core.visible, answering=True))


@_serving.upon(Inputs.missed).loop()
def _does_not_answer(inputs: Inputs, core: Core) -> None:
    assert isinstance(core.visible, Serving)
    core.misses += 1
    if core.misses >= core.patience.misses and core.visible.answering:
        core.log.error(
            "etcd (pid {pid}) runs but does not answer: {misses} checks failed",
            pid=core.visible.pid,
            misses=core.misses,
        )
        core.show(evolve(core.visible, answering=False))


@_starting.upon(Inputs.exited).to(_diagnosing)
@_serving.upon(Inputs.exited).to(_diagnosing)
def _ended(inputs: Inputs, core: Core, ended: Exit) -> None:
    served = core.visible.since if isinstance(core.visible, Serving) else None
    if served is not None and core.clock.seconds() - served >= core.patience.steady:
        core.failures = 0
    core.let_go()
    core.diagnose(ended)


@_starting.upon(Inputs.terminate).to(_stopping)
@_serving.upon(Inputs.terminate).to(_stopping)
def _terminate(inputs: Inputs, core: Core) -> None:
    assert core.child is not None
    core.health.stop()
    core.child.send(signal.SIGTERM)
    core.timer = core.clock.callLater(core.patience.stop, inputs.insist)
    core.show(Stopping(pid=core.child.pid, since=core.clock.seconds()))


@_stopping.upon(Inputs.insist).to(_killing)
def _kill(inputs: Inputs, core: Core) -> None:
    assert core.child is not None
    core.log.warn(
        "etcd (pid {pid}) did not end within {seconds} s of SIGTERM: SIGKILL",
        pid=core.child.pid,
        seconds=core.patience.stop,
    )
    core.child.send(signal.SIGKILL)
    core.timer = core.clock.callLater(core.patience.reap, inputs.insist)


@_killing.upon(Inputs.insist).loop()
def _cannot_kill(inputs: Inputs, core: Core) -> None:
    assert core.child is not None
    core.stuck = (
        f"etcd (pid {core.child.pid}) did not end within {core.patience.reap:g} s of "
        "SIGKILL: its disk hangs (see dmesg); only the disk or a reboot can end it"
    )
    core.log.error("{reason}", reason=core.stuck)
    core.timer = None


@_stopping.upon(Inputs.exited).to(_absent)
@_killing.upon(Inputs.exited).to(_absent)
def _stopped(inputs: Inputs, core: Core, ended: Exit) -> None:
    core.let_go()
    core.gone()


@_preparing.upon(Inputs.terminate).to(_withdrawing)
@_diagnosing.upon(Inputs.terminate).to(_withdrawing)
def _withdraw(inputs: Inputs, core: Core) -> None:
    """See Note [Work under way]."""
    core.withdrawn = True


@_absent.upon(Inputs.terminate).to(_absent)
@_failed.upon(Inputs.terminate).to(_absent)
def _nothing_to_stop(inputs: Inputs, core: Core) -> None:
    core.gone()


@_withdrawing.upon(Inputs.terminate).loop()
@_stopping.upon(Inputs.terminate).loop()
@_killing.upon(Inputs.terminate).loop()
def _under_way(inputs: Inputs, core: Core) -> None:
    """Whoever asks again waits for the same end."""


@_failed.upon(Inputs.forgive).loop()
def _try_now(inputs: Inputs, core: Core) -> None:
    assert isinstance(core.visible, ChildFailed)
    core.failures = 0
    core.show(evolve(core.visible, retry_at=core.clock.seconds(), gave_up=False))


def _forgive(inputs: Inputs, core: Core) -> None:
    core.failures = 0


_RUNNING = (_starting, _serving, _stopping, _killing)
for _state in (_absent, _preparing, *_RUNNING, _diagnosing, _withdrawing):
    _state.upon(Inputs.forgive).loop()(_forgive)

build_lifecycle = _builder.build()
"""Makes the machine's inputs for a `Core`."""
