"""Tests of `e2d.tap.ring`: the gossip ring that a configuration means."""

from __future__ import annotations

from pathlib import Path

from twisted.application.service import IService
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from e2d.config.choices import GossipCompatibility
from e2d.gossip.keys import ORIGINAL_ZERO_KEY, RingKeyError
from e2d.model import Address
from e2d.swim.settings import LAN, WAN
from e2d.tap.ring import _keys, _logger, ring_parts, ring_settings
from e2d.testing.names import MemoryNames
from e2d.testing.reactor import MemoryDaemonReactor
from tests.test_tap import configured

BETA = "apiVersion: e2d.crit.sh/v1beta1\n"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


class SettingsTests(SynchronousTestCase):
    """How a node takes part."""

    def test_defaults(self) -> None:
        """By default a node gossips on its own address."""
        settings = ring_settings(configured("{}"))
        self.assertEqual(settings.advertise, Address("10.0.0.9", 7980))
        self.assertEqual(settings.client_url, "http://10.0.0.9:2379")
        self.assertIs(settings.timings, LAN)
        self.assertIsNone(settings.compat)

    def test_chosen(self) -> None:
        """What is configured counts."""
        settings = ring_settings(
            configured(
                BETA + "gossip: {profile: wan, compat: original, insecure: true}"
            )
        )
        self.assertIs(settings.timings, WAN)
        self.assertIs(settings.compat, GossipCompatibility.ORIGINAL)


class KeyringTests(SynchronousTestCase):
    """What packets are sealed with."""

    def test_none(self) -> None:
        """Nothing without keys: no key that looks like one (W-19)."""
        self.assertEqual(_keys(configured("{}")), ())

    def test_zeros(self) -> None:
        """W-19: zeros only where an original shares the ring."""
        keys = _keys(configured("gossip: {compat: original}"))
        self.assertEqual(keys, (ORIGINAL_ZERO_KEY,))

    def test_file(self) -> None:
        """A file of keys is read each time."""
        path = Path(self.mktemp()).absolute()
        configuration = configured(BETA + f"gossip: {{keysFile: {path}}}")
        error = self.assertRaises(RingKeyError, _keys, configuration)
        self.assertEqual(
            str(error), f"gossip.keysFile: {path}: No such file or directory"
        )
        path.write_text(KEY + "\n")
        self.assertEqual(_keys(configuration), (bytes(range(32)),))


class LogTests(SynchronousTestCase):
    """W-36: what goes wrong in the ring is in the log."""

    def lines(self, level: str) -> list[str]:
        """What is in it of three lines."""
        said: list[str] = []

        def note(event: dict[str, object]) -> None:
            said.append(formatEvent(event))

        globalLogPublisher.addObserver(note)
        self.addCleanup(globalLogPublisher.removeObserver, note)
        log = _logger(level)
        log.info("an info")
        log.warn("a warning")
        log.error("an error")
        return said

    def test_by_default(self) -> None:
        """Errors are, with the level that a node has by default."""
        level = configured("{}").memberlist_log_level
        self.assertIn("an error", self.lines(level))

    def test_info(self) -> None:
        """All of it, at info."""
        self.assertEqual(self.lines("info"), ["an info", "a warning", "an error"])

    def test_error(self) -> None:
        """Errors only, where that is wanted."""
        self.assertEqual(self.lines("error"), ["an error"])


class PartsTests(SynchronousTestCase):
    """What takes part in a ring."""

    def test_parts(self) -> None:
        """Services, and what they tell before they start."""
        reactor = MemoryDaemonReactor()
        reactor.installNameResolver(MemoryNames())
        parts = ring_parts(
            reactor,
            configured(BETA + "discovery: {initialPeers: ['10.0.0.1:7980']}"),
            self.mktemp(),
            lambda: 0.0,
        )
        self.assertTrue(all(map(IService.providedBy, parts.services)))
        view = parts.membership.view()
        self.assertIsNone(view.members)
        self.assertEqual(view.unheard, (Address("10.0.0.1", 7980),))
        self.assertEqual((view.unmet, view.untold), ((), ()))
