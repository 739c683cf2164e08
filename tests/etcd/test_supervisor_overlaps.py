"""The supervisor when things overlap, or the disk says no."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TypeVar

from attrs import evolve

from twisted.internet.defer import Deferred

from e2d.etcd.command import arguments
from e2d.etcd.supervisor import EtcdSupervisor
from e2d.model import (
    Absent,
    ChildFailed,
    EtcdVersion,
    InitialState,
    MemberID,
    ProblemKind,
    Serving,
    Starting,
    Stopping,
)
from tests.etcd.samples import START, status
from tests.etcd.test_supervisor import _VERSION, SupervisorTests

T = TypeVar("T")

_EXISTING = evolve(START, state=InitialState.EXISTING)


class OverlapTests(SupervisorTests):
    """What takes long, and what comes meanwhile."""

    def setUp(self) -> None:
        """A pool that can be held up."""
        self.holding = False
        self.held: list[Callable[[], None]] = []
        super().setUp()

    def _now(self, function: Callable[[], T]) -> Deferred[T]:
        if not self.holding:
            return super()._now(function)
        done: Deferred[None] = Deferred()
        self.held.append(lambda: done.callback(None))
        return done.addCallback(lambda _: function())

    def _release(self) -> None:
        self.holding = False
        while self.held:
            self.held.pop(0)()

    def _start_again(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.supervisor.start(START))

    def test_absent_after_the_last_line(self) -> None:
        """While etcd's last lines are read it is not Absent, so nothing starts."""
        etcd = self._serving()
        stopping = self._stop()
        self.holding = True
        etcd.end(signal=15)
        self.assertIsInstance(self.supervisor.state(), Stopping)
        self.assertNoResult(stopping)
        self._release()
        self.successResultOf(stopping)
        self.assertEqual(self.supervisor.state(), Absent())
        self.assertEqual(self.seen, [Starting, Serving, Stopping, Absent])

    def test_record_of_the_next_start(self) -> None:
        """A stop that takes long leaves the record of the start after it alone."""
        self._serving().end(signal=9)
        self.holding = True
        stopping = self._stop()
        starting = self._start_again()
        self.assertNoResult(starting)
        self._release()
        self.successResultOf(stopping)
        self.successResultOf(starting)
        self.assertEqual(self._record()["launch_id"], "0000000000000002")
        self.assertIsInstance(self.supervisor.state(), Starting)

    def test_stopped_again_before_the_next_start(self) -> None:
        """A start that waits for a stop comes to nothing if it is stopped again."""
        self._serving().end(signal=9)
        self.holding = True
        first = self._stop()
        starting = self._start_again()
        second = self._stop()
        self._release()
        for each in (first, second, starting):
            self.successResultOf(each)
        self.assertEqual(self.supervisor.state(), Absent())
        self.assertIsNone(self._record())

    def test_last_words_take_long(self) -> None:
        """A failure is told after two seconds, and the next log is still followed."""
        etcd = self._serving()
        self.holding = True
        etcd.end(signal=9)
        self.reactor.advance(2.0)
        self.assertIsInstance(self.supervisor.state(), ChildFailed)
        starting = self._start_again()
        self._release()
        self.successResultOf(starting)
        path = os.path.join(self.directory, "e2d", "etcd.log")
        with open(path, "ab") as log:
            log.write(b'{"level":"fatal","msg":"no space left on device"}\n')
        self.reactor.processes[-1].end(code=1)
        self.assertEqual(self._failed().problem.kind, ProblemKind.DISK_FULL)

    def test_stopped_before_it_is_written_down(self) -> None:
        """The pid of an etcd that has ended is not put on record after its end."""
        starting = self._start(None)
        self.reactor.spawnProcess = self._hold_after(self.reactor.spawnProcess)
        self.reactor.processes[-1].prints(_VERSION)
        self.assertNoResult(starting)
        stopping = self._stop()
        self.reactor.processes[-1].end(signal=15)
        self._release()
        self.successResultOf(starting)
        self.successResultOf(stopping)
        self.assertIsNone(self._record())

    def _hold_after(self, spawn: Callable[..., object]) -> Callable[..., object]:
        def spawn_and_hold(*arguments: object, **named: object) -> object:
            self.holding = True
            return spawn(*arguments, **named)

        return spawn_and_hold


class ForeignAnswerTests(SupervisorTests):
    """When another etcd answers where ours should."""

    def _adopted(self, **environment: str) -> EtcdSupervisor:
        self._runs(os.getppid(), 777, **environment)
        second = self._supervisor()
        adopting = Deferred.fromCoroutine(second.adopt())
        self.assertTrue(self.successResultOf(adopting))
        self.addCleanup(second._forget_adoption)
        child = second._core.child
        self.addCleanup(child.abandon)
        return second

    def test_ours_all_the_same(self) -> None:
        """An adopted etcd stays ours whoever answers on its port, with a warning."""
        self._serving()
        self.expected = MemberID(0xAB)
        second = self._adopted(E2D_LAUNCH="0000000000000001")
        self.reactor.advance(0)
        self.assertIsInstance(second.state(), Starting)
        self.assertEqual(
            second.warnings()[-1],
            "member 1 answers on 127.0.0.1:0, which is not ours; etcd runs with other "
            "addresses than configured: e2d restart applies them",
        )
        self.assertEqual(self._record()["launch_id"], "0000000000000001")

    def test_ours_is_found_by_a_start(self) -> None:
        """What could not be adopted at first is adopted by the next start."""
        self._runs(os.getppid(), 777, E2D_LAUNCH="feed")
        self.successResultOf(self._start())
        self.addCleanup(self.supervisor._core.child.abandon)
        self.assertEqual(
            self.supervisor.state(),
            Starting(pid=os.getppid(), since=0.0, adopted=True),
        )

    def test_ours_answers(self) -> None:
        """When ours answers it serves, and the warning ends."""
        self._serving()
        self.expected = MemberID(0xAB)
        second = self._adopted(E2D_LAUNCH="0000000000000001")
        self.reactor.advance(0)
        self.answer = status(member_id=0xAB)
        self.reactor.advance(0.02)
        self.assertIsInstance(second.state(), Serving)
        self.assertFalse([each for each in second.warnings() if "answers" in each])

    def test_adopted_before_its_binary_is_asked(self) -> None:
        """Adoption does not wait for a binary that says nothing."""
        second = self._adopted(E2D_LAUNCH="feed")
        self.assertTrue(self.reactor.processes[-1].running)
        self.reactor.processes[-1].prints(_VERSION)
        self.assertEqual(str(second.version()), "3.5.16")

    def test_binary_that_hangs_is_ended(self) -> None:
        """What asks the binary is ended with etcd, and its end is waited for."""
        second = self._adopted(E2D_LAUNCH="feed")
        (asked,) = self.reactor.processes
        (reader,) = self.reactor.getReaders()
        reader.doRead()
        stopping = Deferred.fromCoroutine(second.stop())
        self.assertEqual(asked.signals[0], 9)
        asked.end(signal=9)
        self.successResultOf(stopping)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_lost_record(self) -> None:
        """An etcd that an e2d started on our data is ours without a record."""
        second = self._adopted(E2D_LAUNCH="feed")
        self.assertEqual(second.state().pid, os.getppid())

    def test_stale_record(self) -> None:
        """So it is with the record of an earlier start, which is left alone."""
        self._started()
        second = self._adopted(E2D_LAUNCH="feed")
        self.assertEqual(second.state().pid, os.getppid())
        self.assertEqual(self._record()["launch_id"], "0000000000000001")

    def test_other_settings_without_a_record(self) -> None:
        """What it was started with is then read from its arguments."""
        command = (self.binary, *arguments(self.settings, START, EtcdVersion(3, 5, 16)))
        changed = (*command[:-1], "--log-level=warn")
        self._runs(os.getppid(), 777, E2D_LAUNCH="feed")
        self._write_proc(f"{os.getppid()}/cmdline", "\0".join(changed) + "\0")
        second = self._supervisor()
        adopting = Deferred.fromCoroutine(second.adopt())
        self.assertTrue(self.successResultOf(adopting))
        self.addCleanup(second._core.child.abandon)
        self.reactor.processes[-1].prints(_VERSION)
        (warning,) = second.warnings()
        self.assertIn("other settings than configured now (", warning)


class DiskTests(SupervisorTests):
    """When nothing can be written, or anything fails."""

    def _start_existing(self) -> None:
        starting = Deferred.fromCoroutine(self.supervisor.start(_EXISTING))
        self.reactor.processes[-1].prints(_VERSION)
        self.successResultOf(starting)

    def test_full_disk(self) -> None:
        """A member starts on its data though nothing can be written, with a warning."""
        with open(os.path.join(self.directory, "e2d"), "w"):
            pass
        self._start_existing()
        self.assertIsInstance(self.supervisor.state(), Starting)
        record, log = self.supervisor.warnings()
        self.assertIn("the start can't be recorded", record)
        self.assertIn("etcd's log can't be opened", log)
        stopping = self._stop()
        self.reactor.processes[-1].end(signal=15)
        self.successResultOf(stopping)
        self.assertEqual(self.supervisor.warnings(), ())

    def test_record_of_another_start(self) -> None:
        """A stop removes the record of what it stopped, and no other."""
        etcd = self._started()
        path = os.path.join(self.directory, "e2d", "launch.json")
        other = {**self._record(), "launch_id": "feed"}
        with open(path, "w") as file:
            json.dump(other, file)
        stopping = self._stop()
        etcd.end(signal=15)
        self.successResultOf(stopping)
        self.assertEqual(self._record(), other)

    def _refusing(self, number: int) -> None:
        """Have the pool refuse its so many-th work."""
        left = iter(range(number))
        work = self._now

        def refuse(function: Callable[[], T]) -> Deferred[T]:
            if next(left, None) is None and not self.refused:
                self.refused = True
                return work(self._fail)
            return work(function)

        self.refused = False
        self._now = refuse
        self.supervisor = self._supervisor()

    def _fail(self) -> None:
        raise OSError(24, "Too many open files")

    def test_any_work_refused(self) -> None:
        """Whatever is refused, a start fails or goes on, and can be stopped."""
        for number in range(12):
            self._refusing(number)
            starting = Deferred.fromCoroutine(self.supervisor.start(START))
            if self.reactor.processes[-1].running:
                self.reactor.processes[-1].prints(_VERSION)
            self.successResultOf(starting)
            self.assertIsInstance(self.supervisor.state(), Starting | ChildFailed)
            if isinstance(self.supervisor.state(), ChildFailed):
                self.assertIn("Too many open files", self._failed().problem.message)
            stopping = self._stop()
            if self.reactor.processes[-1].running:
                self.reactor.processes[-1].end(signal=15)
            self.successResultOf(stopping)
            self.assertEqual(self.supervisor.state(), Absent())

    def test_any_work_of_an_adoption_refused(self) -> None:
        """So it is when etcd is looked for."""
        self._runs(os.getppid(), 777, E2D_LAUNCH="feed")
        for number in range(4):
            self._refusing(number)
            adopting = Deferred.fromCoroutine(self.supervisor.adopt())
            if self.successResultOf(adopting):
                self.supervisor._forget_adoption()
                self.supervisor._core.child.abandon()
            else:
                self.assertIn("Too many open files", self._failed().problem.message)
                self.successResultOf(self._stop())
