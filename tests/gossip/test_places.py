"""Addresses, as the protocol has them and as people do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.places import address_of, host_for, peer_address
from e2d.model import Address
from e2d.swim.messages import PeerAddress

MAPPED = bytes(10) + b"\xff\xff" + bytes([10, 0, 0, 1])


class PlacesTests(SynchronousTestCase):
    """See Note [IPv4 on a port of IPv6]."""

    def test_ipv4(self) -> None:
        """Four bytes."""
        peer = PeerAddress(bytes([10, 0, 0, 1]), 7980)
        self.assertEqual(peer_address("10.0.0.1", 7980), peer)
        self.assertEqual(address_of(peer), Address("10.0.0.1", 7980))

    def test_ipv6(self) -> None:
        """Sixteen, in the one form that is written."""
        peer = peer_address("fd00:0::0:1", 7980)
        self.assertEqual(len(peer.host), 16)
        self.assertEqual(address_of(peer), Address("fd00::1", 7980))

    def test_scope(self) -> None:
        """The interface of a link-local address is not a part of it."""
        self.assertEqual(peer_address("fe80::1%eth0", 1), peer_address("fe80::1", 1))

    def test_mapped(self) -> None:
        """IPv4 in IPv6 is IPv4."""
        self.assertEqual(peer_address("::ffff:10.0.0.1", 1).host, bytes([10, 0, 0, 1]))
        self.assertEqual(address_of(PeerAddress(MAPPED, 1)), Address("10.0.0.1", 1))

    def test_name(self) -> None:
        """A name is no address."""
        self.assertRaises(ValueError, peer_address, "localhost", 1)

    def test_host_for_ipv4(self) -> None:
        """A port of IPv4 is given the short form."""
        for host in (bytes([10, 0, 0, 1]), MAPPED):
            self.assertEqual(
                host_for(PeerAddress(host, 1), over_ipv6=False), "10.0.0.1"
            )

    def test_host_for_ipv6(self) -> None:
        """A port of IPv6 is given the long one."""
        for host in (bytes([10, 0, 0, 1]), MAPPED):
            self.assertEqual(
                host_for(PeerAddress(host, 1), over_ipv6=True), "::ffff:10.0.0.1"
            )
        six = peer_address("fd00::1", 1)
        self.assertEqual(host_for(six, over_ipv6=True), "fd00::1")

    @given(st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16))
    def test_there_and_back(self, host: bytes) -> None:
        """What is written leads back."""
        address = address_of(PeerAddress(host, 7980))
        again = peer_address(address.host, address.port)
        self.assertEqual(address_of(again), address)
