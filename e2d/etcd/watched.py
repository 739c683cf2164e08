"""
The process that is etcd, what is known of it, and what can be done to it.

When what is done is decided by the machine of `e2d.etcd.lifecycle`.

Note [Frozen]: an etcd whose disk hangs counts as failed in two steps. After
`Patience.misses` failed checks it is Serving but not ``answering``; when it is stopped
then, and SIGKILL does not end it within `Patience.reap`, `Core.stuck` says so. It is
never ChildFailed: it runs, and a second one on its data is what must not be.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from random import Random

from attrs import define, field, frozen

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
    Stopping,
)
from e2d.services import Backoff

__all__ = ["Core", "Patience"]

_LATE_SECONDS = 2.0


@frozen(kw_only=True)
class Patience:
    """
    How long the supervisor waits for what. All in seconds but the counts.

    See Note [Frozen] for what follows from ``misses`` and ``reap``.

    :param stop: from SIGTERM to SIGKILL. etcd hands leadership over meanwhile, and the
        last of a cluster waits 7 s for that in vain.
    :param reap: from SIGKILL until it is said that etcd does not die.
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

    :param diagnose: finds out why a process ended, then says ``Inputs.diagnosed``.
    :param clear: leaves nothing of what was stopped, then says ``Inputs.cleared``.
    :param expected_member: whose data the directory holds, None if not known.
    :param withdrawn: ``Inputs.terminate`` came while work was under way.
    :param clearing: etcd was stopped, and something of it is still left.
    :param stranger: who answers where our etcd should, while it is not our etcd.
    :param stuck: a line for the operator, when the process can't be ended.
    """

    clock: IReactorTime
    health: HealthWatch
    patience: Patience
    backoff: Backoff
    random: Random
    diagnose: Callable[[Exit], None]
    clear: Callable[[], None]
    expected_member: Callable[[], MemberID | None]
    log: Logger
    visible: ChildState = field(factory=Absent)
    child: Child | None = None
    adopted: bool = False
    withdrawn: bool = False
    clearing: bool = False
    stranger: MemberID | None = None
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
        self.timer = self.child = self.stuck = self.stranger = None

    def watch(self, child: Child, adopted: bool) -> None:
        """There is a process."""
        self.child, self.adopted, self.misses = child, adopted, 0

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; one that can't be sent is said, for it runs on."""
        assert self.child is not None
        try:
            self.child.send(number)
        except OSError as error:
            self.stuck = (
                f"etcd (pid {self.child.pid}) can't be told to end: {error.strerror}; "
                f"end it yourself: kill {self.child.pid}"
            )
            self.log.warn("{reason}", reason=self.stuck)

    def end(self, insist: Callable[[], None]) -> None:
        """
        Tell it to end.

        :param insist: called when it had the time it is given for that.
        """
        assert self.child is not None
        self.health.stop()
        self.stranger = None
        self.send(signal.SIGTERM)
        self.arm(self.patience.stop, insist)
        self.show(Stopping(pid=self.child.pid, since=self.clock.seconds()))

    def arm(self, seconds: float, call: Callable[[], None]) -> None:
        """
        Call after some seconds of running.

        A timer that is late shows that this process stood still (A16), and etcd with
        it perhaps. How much of the time either had is not known, so it starts anew.
        """
        due = self.clock.seconds() + seconds

        def elapsed() -> None:
            if self.clock.seconds() - due > _LATE_SECONDS:
                self.arm(seconds, call)
            else:
                call()

        self.timer = self.clock.callLater(seconds, elapsed)

    def leave_nothing(self) -> None:
        """See Note [Clearing] of `e2d.etcd.lifecycle`."""
        self.clearing = True
        self.clear()

    def nothing_left(self) -> Deferred[None]:
        """Fires when nothing is left of what is there now."""
        gone: Deferred[None] = Deferred()
        self.waiting.append(gone)
        return gone

    def gone(self) -> None:
        """Nothing is left: tell those who wait for that."""
        self.withdrawn = self.clearing = False
        self.show(Absent())
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            each.callback(None)

    def foreign(self, status: EtcdStatus) -> bool:
        """
        Whether an answer is not our etcd's, as far as it is known whose data it has.

        It says nothing of the process that is watched, which is ours whoever answers.
        """
        expected = self.expected_member()
        ours = expected is None or status.member_id == expected
        self.stranger = None if ours else status.member_id
        return not ours
