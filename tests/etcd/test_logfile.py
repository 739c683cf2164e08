"""Following a log that someone else writes, and keeping it small."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.logfile import LogFile, LogFollower, copy_at_most, open_log

_LONG = b"x" * 300_000 + b"\n"


class LogFileTests(SynchronousTestCase):
    """The file."""

    def setUp(self) -> None:
        """An empty log, open for writing."""
        self.path = self.mktemp()
        self.writer = open_log(self.path)
        self.addCleanup(os.close, self.writer)
        self.file = LogFile(self.path, limit_bytes=1000)
        self.addCleanup(self.file.close)

    def _write(self, content: bytes) -> None:
        os.write(self.writer, content)

    def _lines(self) -> list[bytes]:
        return list(self.file.read().lines)

    def test_private(self) -> None:
        """The log can be read by its owner alone."""
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_reads_what_is_new(self) -> None:
        """What was there before is not read; what comes is, once."""
        self._write(b"old\n")
        self.file.open()
        self.assertEqual(self._lines(), [])
        self._write(b"one\ntwo\n")
        self.assertEqual(self._lines(), [b"one", b"two"])
        self.assertEqual(self._lines(), [])

    def test_half_a_line(self) -> None:
        """Half a line waits for its other half."""
        self.file.open()
        self._write(b"ha")
        self.assertEqual(self._lines(), [])
        self._write(b"lf\nre")
        self.assertEqual(self._lines(), [b"half"])
        self.assertEqual(self.file.rest(), b"re")

    def test_line_without_end(self) -> None:
        """A huge line is given once, cut short; the next one is whole."""
        self.file = LogFile(self.path, limit_bytes=10_000_000)
        self.addCleanup(self.file.close)
        self.file.open()
        self._write(b"x" * 300_000)
        lines = self._lines() + self._lines()
        self.assertEqual([len(line) for line in lines], [16 * 1024])
        self._write(b"x" * 300_000 + b"\nnext\n")
        self.assertEqual(self._lines() + self._lines(), [b"next"])

    def test_truncated_by_someone(self) -> None:
        """A log that is truncated is read from its new beginning."""
        self.file.open()
        self._write(b"one\ntwo\n")
        self._lines()
        os.truncate(self.path, 0)
        self._write(b"new\n")
        self.assertEqual(self._lines(), [b"new"])

    def test_renamed_by_someone(self) -> None:
        """A log that is renamed is still the one that etcd writes to."""
        self.file.open()
        os.rename(self.path, self.path + ".old")
        self._write(b"still\n")
        self.assertEqual(self._lines(), [b"still"])

    def test_found_by_the_writers_descriptor(self) -> None:
        """A log whose name is gone is found through the process that writes it."""
        os.unlink(self.path)
        self.file.open(f"/proc/self/fd/{self.writer}")
        self._write(b"here\n")
        self.assertEqual(self._lines(), [b"here"])

    def test_too_large(self) -> None:
        """A log past its limit is kept as .1, and goes on empty."""
        self.file.open()
        self._write(b"x" * 999 + b"\n" + b"y" * 99 + b"\n")
        self.assertEqual(len(self._lines()), 2)
        self.assertEqual(os.stat(self.path).st_size, 0)
        self.assertEqual(os.stat(self.path + ".1").st_size, 1100)
        self._write(b"on\n")
        self.assertEqual(self._lines(), [b"on"])
        with open(self.path, "rb") as file:
            self.assertEqual(file.read(), b"on\n")

    def test_only_one_predecessor(self) -> None:
        """However often it grows, two files are all there is."""
        self.file.open()
        for letter in (b"a", b"b", b"c"):
            self._write(letter * 1100 + b"\n")
            self._lines()
        directory = os.path.dirname(os.path.abspath(self.path))
        self.assertEqual(len(os.listdir(directory)), 2)
        with open(self.path + ".1", "rb") as file:
            self.assertEqual(file.read(1), b"c")

    def test_no_room_for_the_copy(self) -> None:
        """A log that can't be copied is bounded all the same."""
        os.mkdir(self.path + ".1.part")
        self.addCleanup(os.rmdir, self.path + ".1.part")
        self.file.open()
        self._write(b"x" * 2000 + b"\n")
        self.assertEqual(len(self._lines()), 1)
        self.assertEqual(os.stat(self.path).st_size, 0)

    def test_too_fast(self) -> None:
        """What can't be read in time is passed over, and said."""
        self.file.open()
        for _ in range(5):
            self._write(b"line\n" * 200_000)
        batch = self.file.read()
        self.assertEqual(batch.skipped_bytes, 5_000_000 - 256 * 1024)
        self.assertEqual(set(batch.lines), {b"line"})

    def test_symbolic_link(self) -> None:
        """A link in the log's place is not followed."""
        link = self.mktemp()
        os.symlink(self.path, link)
        self.assertRaises(OSError, open_log, link)

    def test_a_writer_that_is_faster(self) -> None:
        """What is moved is bounded, however far the end has moved on meanwhile."""
        new = BytesIO()
        copy_at_most(BytesIO(b"x" * 5000), new, 2000)
        self.assertEqual(len(new.getvalue()), 2000)


class LogFollowerTests(SynchronousTestCase):
    """The file's lines as events."""

    def setUp(self) -> None:
        """An empty log, open for writing."""
        self.path = self.mktemp()
        self.writer = open_log(self.path)
        self.addCleanup(os.close, self.writer)
        self.clock = Clock()
        self.events: list[dict] = []
        self.lines: list[str] = []
        self.follower = LogFollower(
            self.clock,
            LogFile(self.path),
            lambda function: succeed(function()),
            lambda line: self.lines.append(line.message),
            Logger(namespace="etcd", observer=self.events.append),
        )

    def _finish(self, work: object) -> None:
        self.successResultOf(Deferred.fromCoroutine(work))

    def test_events(self) -> None:
        """A line becomes an event at its own level, with its fields."""
        self._finish(self.follower.start())
        os.write(self.writer, b'{"level":"error","msg":"slow","took":"2s"}\n')
        self.clock.advance(0)
        self.clock.advance(0.5)
        (event,) = self.events
        self.assertEqual(event["log_level"].name, "error")
        self.assertEqual(event["text"], "slow took=2s")
        self.assertEqual(event["etcd_fields"], {"took": "2s"})
        self._finish(self.follower.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_reads_the_rest(self) -> None:
        """What was written last is seen, even without its end."""
        self._finish(self.follower.start())
        os.write(self.writer, b"panic: oh\nno")
        self._finish(self.follower.stop())
        self.assertEqual(self.lines, ["panic: oh", "no"])

    def _slow(self) -> tuple[LogFollower, list[Callable[[], None]]]:
        """A follower whose disk takes as long as the test likes."""
        waiting: list[Callable[[], None]] = []

        def later(function: Callable[[], object]) -> Deferred[object]:
            done: Deferred[object] = Deferred()
            done.addCallback(lambda _: function())
            waiting.append(lambda: done.callback(None))
            return done

        follower = LogFollower(
            self.clock,
            LogFile(self.path),
            later,
            lambda line: self.lines.append(line.message),
            Logger(namespace="etcd", observer=self.events.append),
        )
        return follower, waiting

    def test_started_while_it_is_stopped(self) -> None:
        """A stop that takes long lets go of its own file, not of the next start's."""
        follower, waiting = self._slow()
        first = Deferred.fromCoroutine(follower.start())
        waiting.pop()()
        self.successResultOf(first)
        os.write(self.writer, b"old\n")
        stopping = Deferred.fromCoroutine(follower.stop())
        second = Deferred.fromCoroutine(follower.start())
        while waiting:
            waiting.pop(0)()
        self.successResultOf(stopping)
        self.successResultOf(second)
        os.write(self.writer, b"new\n")
        self.clock.advance(0)
        waiting.pop(0)()
        self.assertEqual(self.lines, ["old", "new"])
        ending = Deferred.fromCoroutine(follower.stop())
        while waiting:
            waiting.pop(0)()
        self.successResultOf(ending)

    def test_stopped_while_somebody_writes_on(self) -> None:
        """A log that grows as fast as it is read does not keep a stop waiting."""
        self._finish(self.follower.start())
        self.follower._listener = lambda _: os.write(self.writer, _LONG)
        os.write(self.writer, _LONG)
        self._finish(self.follower.stop())

    def test_usage_is_for_developers(self) -> None:
        """Text of no known form is not shown to everybody."""
        self._finish(self.follower.start())
        os.write(self.writer, b"Usage:\n")
        self._finish(self.follower.stop())
        self.assertEqual(self.events[0]["log_level"].name, "debug")

    def test_missing_log(self) -> None:
        """A log that can't be read is said once, and nothing else fails."""
        follower = LogFollower(
            self.clock,
            LogFile(self.mktemp()),
            lambda function: succeed(None).addCallback(lambda _: function()),
            self.lines.append,
            Logger(namespace="etcd", observer=self.events.append),
        )
        self._finish(follower.start())
        self._finish(follower.stop())
        self.assertEqual(len(self.events), 1)
