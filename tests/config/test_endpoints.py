"""Addresses are read with Go's rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.endpoints import read_peer, split_host_port
from e2d.config.values import Endpoint
from e2d.model import Address
from tests.config.loading import HOSTLESS, loaded, warned


class SplitTests(SynchronousTestCase):
    """Host and port are told apart as Go does."""

    def test_forms(self) -> None:
        """A name, an address, an IPv6 address in brackets, nothing."""
        self.assertEqual(("n1", "80"), split_host_port("n1:80"))
        self.assertEqual(("::1", "80"), split_host_port("[::1]:80"))
        self.assertEqual(("", "4001"), split_host_port(":4001"))
        self.assertEqual(("n1", ""), split_host_port("n1:"))

    def test_no_port(self) -> None:
        """A text without a port is refused, brackets or not."""
        for text in ("n1", "", "[::1]"):
            error = self.assertRaises(ValueError, split_host_port, text)
            self.assertEqual("has no port", str(error))

    def test_bare_ipv6(self) -> None:
        """An IPv6 address without brackets is not guessed at."""
        error = self.assertRaises(ValueError, split_host_port, "::1:80")
        self.assertIn("brackets", str(error))

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text is split or refused, and nothing else."""
        try:
            host, port = split_host_port(text)
        except ValueError:
            return
        self.assertIn(text, {f"{host}:{port}", f"[{host}]:{port}"})


class EndpointTests(SynchronousTestCase):
    """``clientAddr`` and its like."""

    def test_text_and_mapping_are_one(self) -> None:
        """Both forms come to the same."""
        self.assertEqual(
            loaded("clientAddr: 10.0.0.1:1").client,
            loaded("clientAddr: {host: 10.0.0.1, port: 1}").client,
        )

    def test_parts_of_a_mapping(self) -> None:
        """A mapping without a port has the default one."""
        made = loaded("clientAddr: {host: 10.0.0.1}")
        self.assertEqual(Address("10.0.0.1", 2379), made.client.listen)

    def test_port_that_is_no_number(self) -> None:
        """A port that is no number is the default one, and that is said."""
        self.assertEqual(
            Address("10.0.0.1", 2379), loaded("clientAddr: 10.0.0.1:http").client.listen
        )
        self.assertEqual(
            [
                "test.yaml:1:13: `clientAddr`: the port `http` is not a number, so "
                "2379 is used"
            ],
            warned("clientAddr: 10.0.0.1:http"),
        )

    def test_ipv6(self) -> None:
        """IPv6 addresses are kept without brackets, and printed with them."""
        made = loaded("clientAddr: '[2001:db8::1]:2379'")
        self.assertEqual("2001:db8::1", made.client.listen.host)
        self.assertEqual("[2001:db8::1]:2379", str(made.client.listen))

    def test_advertised_name(self) -> None:
        """With a name to advertise, 0.0.0.0 stays, and the host needs no address."""
        made = loaded(
            "clientAddr: {host: 0.0.0.0, advertise: n1.example.com}\n"
            "peerAddr: {host: '::', port: 1, advertise: 'n1.example.com:2'}",
            HOSTLESS,
        )
        self.assertEqual(
            Endpoint(
                listen=Address("0.0.0.0", 2379),  # noqa: S104 - compared only
                advertise=Address("n1.example.com", 2379),
            ),
            made.client,
        )
        self.assertEqual(Address("::", 1), made.peer.listen)
        self.assertEqual(Address("n1.example.com", 2), made.peer.advertise)

    def test_loopback_too(self) -> None:
        """Etcd's clients on the host itself find it on loopback, bound once only."""
        made = loaded("clientAddr: 10.0.0.1:1\npeerAddr: 127.0.0.1:2")
        self.assertEqual(
            (Address("10.0.0.1", 1), Address("127.0.0.1", 1)),
            made.client.listen_addresses,
        )
        self.assertEqual((Address("127.0.0.1", 2),), made.peer.listen_addresses)


class PeerTests(SynchronousTestCase):
    """Where another node gossips, in a line of a list."""

    def test_port_left_out(self) -> None:
        """The port may be left out, and so may the brackets of IPv6 then."""
        self.assertEqual(Address("n1.example", 7980), read_peer("n1.example", 7980))
        self.assertEqual(Address("10.0.0.1", 7980), read_peer("10.0.0.1", 7980))
        self.assertEqual(Address("2001:db8::1", 7980), read_peer("2001:db8::1", 7980))

    def test_port(self) -> None:
        """A port that is given counts, unless it is 0."""
        self.assertEqual(Address("n1", 80), read_peer("n1:80", 7980))
        self.assertEqual(Address("::1", 80), read_peer("http://[::1]:80", 7980))
        self.assertEqual(Address("n1", 7980), read_peer("n1:0", 7980))

    def test_refused(self) -> None:
        """What is no address says why."""
        for text, why in (
            ("", "has no port"),
            ("[::1]", "has no port"),
            ("n1:65536", "is no address"),
            ("n1:-1", "is no address"),
            ("a b:80", "is no address"),
            ("fe80::1%eth0", "has too many colons"),
        ):
            error = self.assertRaises(ValueError, read_peer, text, 7980)
            self.assertIn(why, str(error))
