# ruff: noqa: ARG001 - automat fixes the signatures of what a transition calls
"""
The states of etcd's process, and what each piece of news means in each of them.

An automat machine: what is done is in the module's functions, over a `Core` that holds
what they need. What takes time is done by whoever owns the machine, who then tells it
how it went.

Note [Work under way]: preparing a start and finding out why etcd ended take a while, in
pools and on disks. They are not cut short by a stop, which waits for their end: each is
bounded, and half of one is harder to undo than the whole. If there is a process at
their end, an etcd that was found, it is told to end like any other.

Note [Clearing]: when etcd was stopped its log is still to be read to the end, and the
record of its start to be removed. Only then is it Absent, for that is what a next start
waits for, which has a log and a record of its own.
"""

from __future__ import annotations

import signal
from typing import Protocol

from attrs import evolve

from automat import TypeMachineBuilder

from e2d.etcd.child import Child
from e2d.etcd.diagnosis import Exit
from e2d.etcd.watched import Core
from e2d.model import (
    ChildFailed,
    ChildProblem,
    Elsewhere,
    EtcdStatus,
    Serving,
    Starting,
)

__all__ = ["Inputs", "build_lifecycle"]


class Inputs(Protocol):
    """The news of etcd's process."""

    def begin(self) -> None:
        """A start or an adoption is being prepared."""

    def refused(self, problem: ChildProblem) -> None:
        """It came to nothing, for a reason."""

    def relinquish(self) -> None:
        """It came to nothing, and that is no failure."""

    def spawned(self, child: Child, adopted: bool, elsewhere: Elsewhere | None) -> None:
        """There is a process."""

    def answered(self, status: EtcdStatus) -> None:
        """It answered a probe."""

    def ready(self) -> None:
        """It is ours and knows a leader."""

    def denied(self) -> None:
        """It answered a probe, and said that we may not ask."""

    def missed(self) -> None:
        """It did not answer a probe."""

    def exited(self, ended: Exit) -> None:
        """It has ended."""

    def diagnosed(self, problem: ChildProblem) -> None:
        """Why it ended is known."""

    def cleared(self) -> None:
        """Nothing is left of what was stopped."""

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
_clearing = _builder.state("clearing")
_failed = _builder.state("failed")


@_absent.upon(Inputs.begin).to(_preparing)
@_failed.upon(Inputs.begin).to(_preparing)
def _begin(inputs: Inputs, core: Core) -> None:
    """What is visible stays as it is until there is news."""


@_preparing.upon(Inputs.refused).to(_failed)
@_diagnosing.upon(Inputs.diagnosed).to(_failed)
def _count(inputs: Inputs, core: Core, problem: ChildProblem) -> None:
    core.fail(problem)


@_withdrawing.upon(Inputs.refused).to(_clearing)
@_withdrawing.upon(Inputs.diagnosed).to(_clearing)
def _withdrawn(inputs: Inputs, core: Core, problem: ChildProblem) -> None:
    core.leave_nothing()


@_withdrawing.upon(Inputs.relinquish).to(_clearing)
@_failed.upon(Inputs.terminate).to(_clearing)
def _clear(inputs: Inputs, core: Core) -> None:
    core.leave_nothing()


@_clearing.upon(Inputs.cleared).to(_absent)
@_preparing.upon(Inputs.relinquish).to(_absent)
@_absent.upon(Inputs.terminate).to(_absent)
def _gone(inputs: Inputs, core: Core) -> None:
    core.gone()


@_preparing.upon(Inputs.spawned).to(_starting)
def _watch(
    inputs: Inputs,
    core: Core,
    child: Child,
    adopted: bool,
    elsewhere: Elsewhere | None,
) -> None:
    core.watch(child, adopted)
    core.health.start(inputs.answered, inputs.missed, inputs.denied)
    now = core.clock.seconds()
    core.show(Starting(pid=child.pid, since=now, adopted=adopted, elsewhere=elsewhere))


@_starting.upon(Inputs.answered).loop()
def _consider(inputs: Inputs, core: Core, status: EtcdStatus) -> None:
    if not core.foreign(status) and status.leader is not None:
        inputs.ready()


@_starting.upon(Inputs.denied).loop()
def _consider_refusal(inputs: Inputs, core: Core) -> None:
    """Ours, as far as it is known to be where it is asked: a refusal names nobody."""
    assert isinstance(core.visible, Starting)
    elsewhere = core.visible.elsewhere
    if elsewhere is None or elsewhere.client_url is None:
        inputs.ready()


@_starting.upon(Inputs.ready).to(_serving)
def _serve(inputs: Inputs, core: Core) -> None:
    """Etcd answers no request, with whatever words, before it is ready."""
    assert isinstance(core.visible, Starting)
    core.health.ready()
    started, now = core.visible, core.clock.seconds()
    core.log.info(
        "etcd serves (pid {pid}), {seconds} s after its start",
        pid=started.pid,
        seconds=round(now - started.since, 3),
    )
    core.show(
        Serving(
            pid=started.pid,
            since=now,
            adopted=started.adopted,
            elsewhere=started.elsewhere,
        )
    )


@_starting.upon(Inputs.missed).loop()
def _be_patient(inputs: Inputs, core: Core) -> None:
    """It may take as long as it needs: a large database, a quorum to come."""


@_serving.upon(Inputs.answered).loop()
def _answers(inputs: Inputs, core: Core, status: EtcdStatus) -> None:
    if core.foreign(status):
        inputs.missed()
        return
    assert isinstance(core.visible, Serving)
    core.misses = 0
    core.show(evolve(core.visible, answering=True))


@_serving.upon(Inputs.denied).loop()
def _refuses(inputs: Inputs, core: Core) -> None:
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
    core.end(inputs.insist)


@_withdrawing.upon(Inputs.spawned).to(_stopping)
def _end_at_once(
    inputs: Inputs,
    core: Core,
    child: Child,
    adopted: bool,
    elsewhere: Elsewhere | None,
) -> None:
    """See Note [Work under way]."""
    core.watch(child, adopted)
    core.end(inputs.insist)


@_stopping.upon(Inputs.insist).to(_killing)
def _kill(inputs: Inputs, core: Core) -> None:
    assert core.child is not None
    core.log.warn(
        "etcd (pid {pid}) did not end within {seconds} s of SIGTERM: SIGKILL",
        pid=core.child.pid,
        seconds=core.patience.stop,
    )
    core.send(signal.SIGKILL)
    core.arm(core.patience.reap, inputs.insist)


@_killing.upon(Inputs.insist).loop()
def _cannot_kill(inputs: Inputs, core: Core) -> None:
    assert core.child is not None
    core.stuck = (
        f"etcd (pid {core.child.pid}) did not end within {core.patience.reap:g} s of "
        "SIGKILL: its disk hangs (see dmesg); only the disk or a reboot can end it"
    )
    core.log.error("{reason}", reason=core.stuck)
    core.timer = None


@_stopping.upon(Inputs.exited).to(_clearing)
@_killing.upon(Inputs.exited).to(_clearing)
def _stopped(inputs: Inputs, core: Core, ended: Exit) -> None:
    core.let_go()
    core.leave_nothing()


@_preparing.upon(Inputs.terminate).to(_withdrawing)
@_diagnosing.upon(Inputs.terminate).to(_withdrawing)
def _withdraw(inputs: Inputs, core: Core) -> None:
    """See Note [Work under way]."""
    core.withdrawn = True


@_clearing.upon(Inputs.terminate).loop()
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
_BUSY = (_preparing, _diagnosing, _withdrawing, _clearing)
for _state in (_absent, *_RUNNING, *_BUSY):
    _state.upon(Inputs.forgive).loop()(_forgive)

build_lifecycle = _builder.build()
"""Makes the machine's inputs for a `Core`."""
