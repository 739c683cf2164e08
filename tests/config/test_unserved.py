"""Tests of `e2d.config.unserved`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.config import HostFacts, load
from e2d.config.unserved import unserved


class UnservedTests(SynchronousTestCase):
    """Nobody believes in backups that are not made."""

    def warned(self, text: str) -> tuple[str, ...]:
        """The warnings of a file."""
        host = HostFacts(host_ip="10.0.0.9")
        return unserved(load(text, source="test", host=host).configuration)

    def test_nothing_to_say(self) -> None:
        """A file that asks for nothing of the kind is not warned about."""
        self.assertEqual(self.warned("{}"), ())

    def test_snapshots(self) -> None:
        """A store that nothing is written to is said on every status."""
        (warning,) = self.warned("snapshot: {file: 'file:///backup/'}")
        self.assertIn("snapshot.file", warning)
        self.assertIn("takes no snapshots", warning)

    def test_discovery(self) -> None:
        """So are peers that nobody looks for."""
        (warning,) = self.warned("discovery: {type: dns, name: etcd.example.org}")
        self.assertIn("finds no peers", warning)

    def test_seeds(self) -> None:
        """A ring of several is not yet a cluster of several."""
        (warning,) = self.warned("discovery: {initialPeers: ['10.0.0.1:7980']}")
        self.assertIn("forms no cluster", warning)
