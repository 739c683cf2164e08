"""Tests of `e2d.etcd.records`."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.records import Records, read_record
from e2d.interfaces import DataDirectoryError

T = TypeVar("T")


def at_once(function: Callable[[], T]) -> Awaitable[T]:
    """A pool that has no threads."""
    return succeed(function())


class RecordsTests(SynchronousTestCase):
    """`Records` keeps small mappings on disk."""

    def setUp(self) -> None:
        """Given a directory that does not exist yet."""
        self.directory = Path(self.mktemp()) / "e2d"
        self.directory.parent.mkdir()
        self.records = Records(str(self.directory), at_once)

    def write(self, name: str, record: dict[str, object]) -> None:
        """Write, and have it done."""
        self.successResultOf(Deferred.fromCoroutine(self.records.write(name, record)))

    def read(self, name: str) -> object:
        """Read it back."""
        return self.successResultOf(Deferred.fromCoroutine(self.records.read(name)))

    def refusal(self, name: str) -> str:
        """The message of the error that reading gives."""
        reading = Deferred.fromCoroutine(self.records.read(name))
        return str(self.failureResultOf(reading, DataDirectoryError).value)

    def test_absent(self) -> None:
        """A record that was never written is None, and so is one of no directory."""
        self.assertIsNone(self.read("pause"))

    def test_read_back(self) -> None:
        """What was written is read, the newest of it."""
        self.write("node", {"name": "n1", "count": 1})
        self.write("node", {"name": "n2"})
        self.assertEqual(self.read("node"), {"name": "n2"})

    def test_private(self) -> None:
        """Others can read neither the records nor their names."""
        self.write("node", {"name": "n1"})
        self.assertEqual(self.directory.stat().st_mode & 0o777, 0o700)
        self.assertEqual((self.directory / "node.json").stat().st_mode & 0o777, 0o600)

    def test_nothing_else_left(self) -> None:
        """A write leaves the record and nothing beside it."""
        self.write("node", {"name": "n1"})
        self.assertEqual(os.listdir(self.directory), ["node.json"])

    def test_takes_over_what_a_crash_left(self) -> None:
        """A write cut short by a crash stands in no later write's way."""
        self.directory.mkdir()
        (self.directory / ".node.json.tmp").write_text('{"na')
        self.assertIsNone(self.read("node"))
        self.write("node", {"name": "n1"})
        self.assertEqual(os.listdir(self.directory), ["node.json"])

    def test_remove(self) -> None:
        """A removed record is gone, and removing it again is no error."""
        self.write("pause", {"by": "uid 0"})
        for _ in range(2):
            self.successResultOf(Deferred.fromCoroutine(self.records.remove("pause")))
        self.assertIsNone(self.read("pause"))

    def test_torn(self) -> None:
        """A torn record is an error that names the file, never an absent record."""
        self.directory.mkdir()
        (self.directory / "node.json").write_text('{"name": "n')
        self.assertIn(f"{self.directory}/node.json: not a record", self.refusal("node"))

    def test_emptied(self) -> None:
        """A record emptied by a bad file system is torn, not absent."""
        self.directory.mkdir()
        (self.directory / "node.json").write_text("")
        self.assertIn("not a record of e2d", self.refusal("node"))

    def test_not_an_object(self) -> None:
        """JSON that is no object is no record."""
        self.directory.mkdir()
        (self.directory / "node.json").write_text("[1]")
        self.assertIn("it is not a JSON object", self.refusal("node"))

    def test_too_long(self) -> None:
        """A huge file of that name is refused, not loaded."""
        self.directory.mkdir()
        (self.directory / "node.json").write_text(" " * 65537)
        self.assertIn("longer than 65536 bytes", self.refusal("node"))

    def test_symbolic_link(self) -> None:
        """A link of that name is not followed."""
        self.directory.mkdir()
        (self.directory / "node.json").symlink_to("/etc/passwd")
        self.assertIn("a symbolic link is where none may be", self.refusal("node"))

    def test_fifo(self) -> None:
        """A pipe of that name makes nobody wait."""
        self.directory.mkdir()
        os.mkfifo(self.directory / "node.json")
        self.assertIn("not a regular file", self.refusal("node"))

    def test_file_in_the_way(self) -> None:
        """Where the directory should be is a file: one line says so and what to do."""
        self.directory.write_text("")
        writing = Deferred.fromCoroutine(self.records.write("node", {}))
        message = str(self.failureResultOf(writing, DataDirectoryError).value)
        self.assertEqual(message.count("\n"), 0)
        self.assertIn(str(self.directory), message)

    @settings(deadline=None)  # a busy machine is no failure
    @given(st.binary(max_size=200))
    def test_any_bytes(self, content: bytes) -> None:
        """Whatever is in the file, reading gives a mapping or a DataDirectoryError."""
        self.directory.mkdir(exist_ok=True)
        (self.directory / "any.json").write_bytes(content)
        try:
            record = read_record(str(self.directory), "any")
        except DataDirectoryError:
            return
        self.assertIsInstance(record, dict)

    def test_deep(self) -> None:
        """A file of brackets is refused like any other that is no record."""
        self.directory.mkdir()
        (self.directory / "node.json").write_text("[" * 60000)
        self.assertIn("not a record of e2d", self.refusal("node"))
