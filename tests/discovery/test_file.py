"""Seeds in a file."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from hypothesis import example, given, settings
from hypothesis import strategies as st

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from e2d.discovery.file import PeersFile
from e2d.interfaces.membership import DiscoveryFailed, IDiscovery
from e2d.model import Address
from e2d.testing.contracts.discovery import FallibleDiscoveryContract

T = TypeVar("T")


def at_once(function: Callable[[], T]) -> Awaitable[T]:
    """A pool that has no threads."""
    return maybeDeferred(function)


class PeersFileContractTests(FallibleDiscoveryContract, SynchronousTestCase):
    """`PeersFile` is an `IDiscovery`."""

    def make(self, found: Sequence[Address]) -> IDiscovery:
        """One with a file of these."""
        self.path = Path(self.mktemp())
        discovery = PeersFile(str(self.path), at_once)
        self.change(discovery, found)
        return discovery

    def change(self, discovery: IDiscovery, found: Sequence[Address]) -> None:
        """The file has these."""
        self.assertIn(str(self.path), discovery.label)
        self.path.write_text("".join(f"{address}\n" for address in found))

    def spoil(self, discovery: IDiscovery) -> None:
        """The file is gone."""
        self.assertIn(str(self.path), discovery.label)
        self.path.unlink()


class PeersFileTests(SynchronousTestCase):
    """What is in such a file, and what is wrong with it."""

    def setUp(self) -> None:
        """Given a place for a file."""
        self.path = Path(self.mktemp())
        self.discovery = PeersFile(str(self.path), at_once)

    def found(self, content: str) -> list[str]:
        """What is found in it."""
        self.path.write_text(content)
        looking = Deferred.fromCoroutine(self.discovery.discover())
        return [str(address) for address in self.successResultOf(looking)]

    def refusal(self, content: bytes | None = None) -> str:
        """Why it could not tell, without the path."""
        if content is not None:
            self.path.write_bytes(content)
        looking = Deferred.fromCoroutine(self.discovery.discover())
        reason = self.failureResultOf(looking, DiscoveryFailed).value.reason
        self.assertTrue(reason.startswith(str(self.path)), reason)
        return str(reason.removeprefix(str(self.path)))

    def test_remarks(self) -> None:
        """Remarks, blanks and empty lines do not count; the last line may be cut."""
        content = "# the blue ones\n\n 10.0.0.1:7980 # n1\n\tn2.example:80\r\nn3:80"
        self.assertEqual(
            ["10.0.0.1:7980", "n2.example:80", "n3:80"], self.found(content)
        )

    def test_port_left_out(self) -> None:
        """Where no port is given it is gossip's own."""
        content = "10.0.0.1\nn2\n2001:db8::3\n"
        expected = ["10.0.0.1:7980", "n2:7980", "[2001:db8::3]:7980"]
        self.assertEqual(expected, self.found(content))

    def test_twice(self) -> None:
        """What is listed twice is found once."""
        self.assertEqual(["n2:7980"], self.found("n2\nn2:7980\n"))

    def test_link(self) -> None:
        """The file may be a symbolic link: those who replace files like them."""
        self.path.symlink_to(self.path.with_suffix(".1").name)
        self.assertEqual(["n2:7980"], self.found("n2\n"))

    def test_missing(self) -> None:
        """No file is no answer."""
        self.assertIn("there is no such file; write it", self.refusal())

    def test_empty(self) -> None:
        """Nor is an empty one, with remarks or without."""
        self.assertIn("list at least this node's own", self.refusal(b""))
        self.assertIn("list at least this node's own", self.refusal(b"# soon\n"))

    def test_line(self) -> None:
        """A line that is no address is named, and nothing of the file counts."""
        self.assertEqual(
            ":2: `n2 n3` has no port; write one address a line, such as 10.0.0.2:7980",
            self.refusal(b"n1\nn2 n3\n"),
        )

    def test_not_a_file(self) -> None:
        """A directory or a pipe makes nobody wait."""
        self.path.mkdir()
        self.assertIn("not a regular file", self.refusal())
        self.path.rmdir()
        os.mkfifo(self.path)
        self.assertIn("not a regular file", self.refusal())

    def test_path_through_a_file(self) -> None:
        """What the system refuses is said, with what to do."""
        self.path.write_text("")
        beneath = PeersFile(f"{self.path}/peers", at_once)
        looking = Deferred.fromCoroutine(beneath.discover())
        reason = self.failureResultOf(looking, DiscoveryFailed).value.reason
        self.assertIn("Not a directory; let the user that e2d runs as", reason)

    def test_too_long(self) -> None:
        """A file of more than 64 KiB is refused, and one of just so much is read."""
        self.assertIn("longer than 65536 bytes", self.refusal(b"n1\n" + b"#" * 65534))
        self.assertEqual(["n1:7980"], self.found("n1\n" + "#" * 65533))

    def test_too_many(self) -> None:
        """So are more than 1024 addresses."""
        lines = "".join(f"n{number}\n" for number in range(1024))
        self.assertEqual(1024, len(self.found(lines)))
        self.assertIn("1025 addresses", self.refusal(lines.encode() + b"m\n"))

    @settings(deadline=None)  # a busy machine is no failure
    @given(st.binary(max_size=200))
    @example(b"\xff\xfe")
    @example(b"n1\x00")
    def test_any_bytes(self, content: bytes) -> None:
        """Whatever is in it: addresses, or one line that says why not."""
        self.path.write_bytes(content)
        looking = Deferred.fromCoroutine(self.discovery.discover())
        looking.addErrback(lambda failure: failure.trap(DiscoveryFailed) and None)
        result = self.successResultOf(looking)
        self.assertNotEqual((), result)
