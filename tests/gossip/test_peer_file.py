"""Remembered peers are kept on disk, and the disk may do what it wants."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.acquaintances import Acquaintances
from e2d.gossip.peer_file import PeerFile
from e2d.model import Address, NodeName

OWN = Address("10.0.0.1", 7980)
N2 = Address("10.0.0.2", 7980)
N3 = Address("10.0.0.3", 7980)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

T = TypeVar("T")


class PeerFileTests(SynchronousTestCase):
    """`PeerFile` keeps `Acquaintances`, and is never in the way."""

    def setUp(self) -> None:
        """Given a directory that does not exist yet, and one acquaintance."""
        self.clock = Clock()
        self.pool_works: Deferred[None] | None = None
        self.pool_calls = 0
        self.directory = Path(self.mktemp()) / "e2d"
        self.directory.parent.mkdir()
        self.path = self.directory / "peers.json"
        self.file = PeerFile(self.clock, str(self.directory), self.run_in_pool)
        self.known = Acquaintances("blue", OWN)
        self.known.met(N2, NodeName("n2"), NOW)
        self.lines: list[tuple[str, str]] = []
        globalLogPublisher.addObserver(self._note)
        self.addCleanup(globalLogPublisher.removeObserver, self._note)

    def _note(self, event: dict[str, object]) -> None:
        level = getattr(event.get("log_level"), "name", "")
        self.lines.append((level, formatEvent(event)))

    def run_in_pool(self, function: Callable[[], T]) -> Awaitable[T]:
        """A pool whose thread may be busy."""
        self.pool_calls += 1
        if self.pool_works is None:
            return maybeDeferred(function)
        done: Deferred[T] = Deferred()
        self.pool_works.addCallback(
            lambda _: maybeDeferred(function).chainDeferred(done)
        )
        return done

    def save(self) -> None:
        """Write, and have it done."""
        self.successResultOf(Deferred.fromCoroutine(self.file.save(self.known)))

    def keep(self) -> bool:
        """Keep, and have it done; whether the file was written."""
        self.path.unlink(missing_ok=True)
        self.successResultOf(Deferred.fromCoroutine(self.file.keep(self.known)))
        return self.path.exists()

    def load(self, label: str = "blue", at: datetime = NOW) -> Acquaintances:
        """What another e2d reads."""
        loading = self.file.load(label=label, own=OWN, at=at)
        known: Acquaintances = self.successResultOf(Deferred.fromCoroutine(loading))
        return known

    def given(self, content: bytes) -> None:
        """The file has this in it."""
        self.directory.mkdir()
        self.path.write_bytes(content)

    def test_no_file(self) -> None:
        """Nobody is known before, and that is nothing to speak of."""
        self.assertEqual((), self.load().addresses())
        self.assertEqual([], self.lines)

    def test_comes_back(self) -> None:
        """What was saved is loaded, a week later as well."""
        self.save()
        later = NOW + timedelta(days=7)
        self.assertEqual(self.known.all(), self.load(at=later).all())

    def test_private(self) -> None:
        """Nobody else reads it, and nothing else is left."""
        self.save()
        self.assertEqual(0o700, self.directory.stat().st_mode & 0o777)
        self.assertEqual(0o600, self.path.stat().st_mode & 0o777)
        self.assertEqual(["peers.json"], os.listdir(self.directory))

    def test_largest(self) -> None:
        """As much as can be remembered is written, and read again."""
        for number in range(256):
            self.known.met(Address("10.0.1.1", number + 1), NodeName("😀" * 255), NOW)
        self.save()
        self.known = self.load()
        self.assertEqual(256, len(self.known.addresses()))

    def test_kept_when_due(self) -> None:
        """A change is written at once, and the next one a minute after it."""
        self.assertTrue(self.keep())
        self.known.met(N3, None, NOW)
        self.clock.advance(59)
        self.assertFalse(self.keep())
        self.clock.advance(1)
        self.assertTrue(self.keep())

    def test_kept_now_and_then(self) -> None:
        """Without a change the time that was counted is written every ten minutes."""
        self.save()
        self.clock.advance(599)
        self.assertFalse(self.keep())
        self.clock.advance(1)
        self.assertTrue(self.keep())

    def test_loaded_is_no_change(self) -> None:
        """What was just loaded is not written again before it changes."""
        self.save()
        self.file = PeerFile(self.clock, str(self.directory), self.run_in_pool)
        self.known = self.load()
        self.clock.advance(599)
        self.assertFalse(self.keep())
        self.known.met(N3, None, NOW)
        self.assertTrue(self.keep())

    def test_nothing_to_count(self) -> None:
        """While nobody is remembered nothing is written, however long that is."""
        self.known = Acquaintances("blue", OWN)
        self.assertFalse(self.keep())
        self.clock.advance(600)
        self.assertFalse(self.keep())

    def test_one_at_a_time(self) -> None:
        """While one is written no other is begun, and the last one waits for it."""
        self.pool_works = Deferred()
        first = Deferred.fromCoroutine(self.file.keep(self.known))
        self.known.met(N3, None, NOW)
        self.clock.advance(60)
        self.successResultOf(Deferred.fromCoroutine(self.file.keep(self.known)))
        last = Deferred.fromCoroutine(self.file.save(self.known))
        self.assertNoResult(first)
        self.assertNoResult(last)
        self.assertEqual(1, self.pool_calls)
        self.pool_works.callback(None)
        self.successResultOf(first)
        self.successResultOf(last)
        self.pool_works = None
        self.assertEqual({N2, N3}, set(self.load().addresses()))

    def assert_set_aside(self, content: bytes, reason: str) -> None:
        """Nobody is remembered, one line says why, and nothing is lost."""
        self.given(content)
        self.assertEqual((), self.load().addresses())
        ((level, line),) = self.lines
        self.assertEqual("warn", level)
        self.assertIn(reason, line)
        self.assertIn("peers.json.aside", line)
        self.assertEqual(["peers.json.aside"], os.listdir(self.directory))
        self.assertEqual(content, (self.directory / "peers.json.aside").read_bytes())

    def test_torn(self) -> None:
        """A file that is cut short."""
        self.assert_set_aside(b'{"version": 1', "it is not JSON")

    def test_no_text(self) -> None:
        """A file that is no text."""
        self.assert_set_aside(b"\xff\x00", "it is not JSON")

    def test_deep(self) -> None:
        """A file of brackets."""
        self.assert_set_aside(b"[" * 100_000, "it is not JSON")

    def test_huge(self) -> None:
        """A file of more than a MiB."""
        self.assert_set_aside(b" " * (1024 * 1024 + 1), "too much of it")

    def test_something_else(self) -> None:
        """JSON that is something else."""
        self.assert_set_aside(b"[]", "it is not a JSON object")

    def test_another_ring(self) -> None:
        """Peers of another ring are not this ring's, and are not lost either."""
        self.save()
        self.assertEqual((), self.load(label="green").addresses())
        self.assertIn("a ring with another label", self.lines[0][1])
        (self.directory / "peers.json.aside").rename(self.path)
        self.assertEqual((N2,), self.load().addresses())

    def test_directory(self) -> None:
        """Something else that has its name is set aside, too, and peers are kept."""
        self.path.mkdir(parents=True)
        self.assertEqual((), self.load().addresses())
        self.save()
        self.assertEqual((N2,), self.load().addresses())

    def test_unreadable(self) -> None:
        """A disk that does not give it is said, with the way out."""
        self.directory.write_text("")
        self.assertEqual((), self.load().addresses())
        self.assertIn("could not read the remembered peers", self.lines[0][1])

    def test_disk_says_no(self) -> None:
        """A disk that takes nothing is said once, and again when that is over."""
        self.directory.write_text("")
        self.save()
        self.save()
        self.assertEqual(["error"], [level for level, _ in self.lines])
        self.assertIn("a file is where a directory should be", self.file.problem or "")
        self.directory.unlink()
        self.save()
        self.assertEqual("info", self.lines[-1][0])
        self.assertIsNone(self.file.problem)

    def test_tried_again(self) -> None:
        """What could not be written is tried again a minute later."""
        self.directory.write_text("")
        self.save()
        self.directory.unlink()
        self.assertFalse(self.keep())
        self.clock.advance(60)
        self.assertTrue(self.keep())
