"""Which of a host's addresses is the host's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.discovery.host import choose_address, host_address


class ChoiceTests(SynchronousTestCase):
    """The address that stands for ``0.0.0.0``."""

    def test_first_ipv4(self) -> None:
        """The first IPv4 address beyond loopback is chosen, before any IPv6 one."""
        addresses = ["127.0.0.1", "::1", "2001:db8::1", "10.0.0.5", "10.0.0.6"]
        self.assertEqual("10.0.0.5", choose_address(addresses))

    def test_ipv6(self) -> None:
        """A host with IPv6 only has its first address that needs no zone."""
        addresses = ["127.0.0.1", "::1", "fe80::1", "2001:db8::1"]
        self.assertEqual("2001:db8::1", choose_address(addresses))

    def test_none(self) -> None:
        """A host with loopback only has none."""
        self.assertIsNone(choose_address(["127.0.0.1", "::1"]))

    def test_system_says_no(self) -> None:
        """A system that does not tell is a host without an address."""

        def refuse() -> list[str]:
            raise OSError(1, "Operation not permitted")

        self.assertIsNone(host_address(refuse))
