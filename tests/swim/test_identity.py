"""Who we are in the ring, and how we behave there."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.identity import DEFAULT_VERSIONS, Identity
from e2d.swim.messages import PeerAddress, Source
from e2d.swim.settings import LAN, LOCAL, WAN
from tests.swim.rings import SELF


class IdentityTests(SynchronousTestCase):
    """What an identity may be."""

    def test_protocols(self) -> None:
        """Only what we understand can be spoken: 1 to 5."""
        spoken = []
        for protocol in range(8):
            versions = evolve(DEFAULT_VERSIONS, protocol=protocol)
            try:
                Identity(name=b"a", address=SELF, versions=versions)
            except ValueError:
                continue
            spoken.append(protocol)
        self.assertEqual(spoken, [1, 2, 3, 4, 5])

    def test_more_than_we_understand(self) -> None:
        """Nor does claiming to understand more help."""
        versions = evolve(DEFAULT_VERSIONS, protocol_max=9, protocol=6)
        with self.assertRaises(ValueError):
            Identity(name=b"a", address=SELF, versions=versions)

    def test_name(self) -> None:
        """There is a name."""
        with self.assertRaises(ValueError):
            Identity(name=b"", address=SELF)

    def test_port(self) -> None:
        """Others are told a port."""
        with self.assertRaises(ValueError):
            Identity(name=b"a", address=PeerAddress(SELF.host, 0))

    def test_source(self) -> None:
        """Others are to answer where they are told that we are."""
        source = Identity(name=b"a", address=SELF).source
        self.assertEqual(source, Source(address=SELF, name=b"a"))


class SettingsTests(SynchronousTestCase):
    """How fast rings are by default."""

    def test_profiles(self) -> None:
        """The times of the three profiles are memberlist's."""
        self.assertEqual(
            [
                (
                    each.stream_timeout,
                    each.exchange_interval,
                    each.probe_interval,
                    each.probe_timeout,
                    each.gossip_interval,
                    each.gossip_to_the_dead,
                )
                for each in (LAN, WAN, LOCAL)
            ],
            [
                (10.0, 30.0, 1.0, 0.5, 0.2, 30.0),
                (30.0, 60.0, 5.0, 3.0, 0.5, 60.0),
                (1.0, 15.0, 1.0, 0.2, 0.1, 15.0),
            ],
        )

    def test_counts(self) -> None:
        """So are the counts."""
        self.assertEqual(
            [
                (
                    each.indirect_checks,
                    each.retransmit_mult,
                    each.suspicion_mult,
                    each.suspicion_most_mult,
                    each.gossip_peers,
                    each.awareness_most,
                )
                for each in (LAN, WAN, LOCAL)
            ],
            [(3, 4, 4, 6, 3, 8), (3, 4, 6, 6, 4, 8), (1, 2, 3, 6, 3, 8)],
        )

    def test_names_of_the_dead(self) -> None:
        """A dead peer's name is free before the peer is forgotten."""
        self.assertEqual(
            [each.dead_reclaim for each in (LAN, WAN, LOCAL)], [10.0, 20.0, 5.0]
        )

    def test_no_time(self) -> None:
        """No interval is 0."""
        with self.assertRaises(ValueError):
            evolve(LAN, gossip_interval=0.0)
