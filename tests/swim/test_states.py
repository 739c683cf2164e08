"""Tests of `e2d.swim.states`."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import wire
from e2d.swim.arrivals import Arrivals
from e2d.swim.errors import Fault
from e2d.swim.fields import pack_fields
from e2d.swim.limits import DEFAULT_LIMITS, Limits
from e2d.swim.messages import PeerAddress, PeerState, PushPull, Rank, Versions
from e2d.swim.states import read_push_pull
from tests.swim.outcomes import lines, refusal

GOOD = {
    b"Addr": b"\x7f\0\0\1",
    b"Incarnation": 5,
    b"Meta": None,
    b"Name": b"a",
    b"Port": 7946,
    b"State": 0,
    b"Vsn": b"\1\5\2\0\0\0",
}
PEER = PeerState(
    incarnation=5,
    node=b"a",
    address=PeerAddress(b"\x7f\0\0\1", 7946),
    meta=b"",
    rank=Rank.ALIVE,
    versions=Versions(protocol_min=1, protocol_max=5, protocol=2),
)


def packed(*peers: dict[bytes, object], user: bytes = b"", **header: object) -> bytes:
    """An exchange with these entries, and whatever else is in its header."""
    fields: dict[bytes, object] = {
        b"Join": True,
        b"Nodes": len(peers),
        b"UserStateLen": len(user),
    }
    fields |= {name.encode(): value for name, value in header.items()}
    return b"".join(map(pack_fields, (fields, *peers))) + user


def read(
    data: bytes, limits: Limits = DEFAULT_LIMITS
) -> tuple[PushPull, tuple[Fault, ...]]:
    """What is read when all of it is there."""
    reading = read_push_pull(Arrivals(data, ended=True), limits)
    try:
        next(reading)
    except StopIteration as stop:
        result: tuple[PushPull, tuple[Fault, ...]] = stop.value
        return result
    raise AssertionError("it waits")


class ReadPushPullTests(SynchronousTestCase):
    """`read_push_pull` is as liberal as Go, within limits."""

    def refused(self, data: bytes, **limits: int) -> Fault:
        """Why it is refused."""
        error = refusal(read, data, evolve(DEFAULT_LIMITS, **limits))
        return error.fault

    def dropped(self, **changes: object) -> Fault:
        """Why a peer is left out, between two that are not."""
        bad = GOOD | {name.encode(): value for name, value in changes.items()}
        exchange, (fault,) = read(packed(GOOD, bad, GOOD, user=b"xyz"))
        self.assertEqual(exchange.peers, (PEER, PEER))
        self.assertEqual(exchange.user_state, b"xyz")
        return fault

    def test_whole(self) -> None:
        """Peers and user state."""
        self.assertEqual(
            read(packed(GOOD, GOOD, user=b"xyz")),
            (PushPull(join=True, peers=(PEER, PEER), user_state=b"xyz"), ()),
        )

    def test_nothing(self) -> None:
        """An empty header is an empty exchange."""
        self.assertEqual(read(b"\x80"), (PushPull(join=False, peers=()), ()))

    def test_arrays(self) -> None:
        """Header and peers as arrays, in the order of Go's declaration."""
        data = bytes.fromhex(
            "93 01 02 c3  97 a161 a47f000001 cd1f0a a16d 05 03 a6010502000000  7879"
        )
        peer = evolve(PEER, meta=b"m", rank=Rank.LEFT)
        exchange = PushPull(join=True, peers=(peer,), user_state=b"xy")
        self.assertEqual(read(data), (exchange, ()))

    def test_signed_numbers(self) -> None:
        """The new codec writes 203 as a signed number."""
        header = bytes.fromhex(
            "83a44a6f696ec3a54e6f646573d100cbac5573657253746174654c656ed000"
        )
        exchange, _ = read(header + pack_fields(GOOD) * 203)
        self.assertEqual(len(exchange.peers), 203)

    def test_ranks(self) -> None:
        """The four states that a peer may be in."""
        data = packed(*(GOOD | {b"State": state} for state in range(4)))
        exchange, _ = read(data)
        self.assertEqual(
            [peer.rank for peer in exchange.peers],
            [Rank.ALIVE, Rank.SUSPECT, Rank.DEAD, Rank.LEFT],
        )

    def test_few_versions(self) -> None:
        """A peer that would make others crash is left out."""
        self.assertEqual(self.dropped(Vsn=b"\1\5\2"), Fault.VERSIONS)

    def test_no_address(self) -> None:
        """So is one that is nowhere."""
        self.assertEqual(self.dropped(Addr=None), Fault.ADDRESS)

    def test_unknown_rank(self) -> None:
        """So is one in a state of a later release."""
        self.assertEqual(self.dropped(State=4), Fault.RANK)

    def test_absent_versions(self) -> None:
        """Absent versions are not left out: the ring judges them."""
        exchange, dropped = read(packed(GOOD | {b"Vsn": None}))
        self.assertEqual(exchange.peers, (evolve(PEER, versions=None),))
        self.assertEqual(dropped, ())

    def test_wrong_field(self) -> None:
        """A number out of range makes it all untrustworthy, as in Go."""
        bad = GOOD | {b"Incarnation": 2**32}
        self.assertEqual(self.refused(packed(GOOD, bad)), Fault.FIELD)

    def test_no_entry(self) -> None:
        """So does a peer that is no structure."""
        data = packed(Nodes=1) + b"\x05"
        self.assertEqual(self.refused(data), Fault.MALFORMED)

    def test_too_few(self) -> None:
        """All peers have to come."""
        self.assertEqual(self.refused(packed(GOOD, Nodes=2)), Fault.TRUNCATED)

    def test_too_little_user_state(self) -> None:
        """And all user state."""
        self.assertEqual(
            self.refused(packed(user=b"xyz", UserStateLen=4)), Fault.TRUNCATED
        )

    def test_trailing_bytes(self) -> None:
        """What follows is ignored."""
        exchange, _ = read(packed(GOOD, user=b"xyz") + b"more")
        self.assertEqual(exchange.user_state, b"xyz")

    def test_negative_peers(self) -> None:
        """There are no fewer peers than none."""
        self.assertEqual(self.refused(packed(Nodes=-1)), Fault.FIELD)

    def test_negative_user_state(self) -> None:
        """Nor is there less user state than none."""
        self.assertEqual(self.refused(packed(UserStateLen=-1)), Fault.FIELD)

    def test_most_peers(self) -> None:
        """As many as are accepted."""
        exchange, _ = read(packed(GOOD, GOOD), evolve(DEFAULT_LIMITS, peers=2))
        self.assertEqual(len(exchange.peers), 2)

    def test_too_many_peers(self) -> None:
        """More are refused before the first of them."""
        self.assertEqual(self.refused(packed(Nodes=3), peers=2), Fault.LIMIT)

    def test_default_of_peers(self) -> None:
        """65,536 are accepted."""
        self.assertEqual(self.refused(packed(Nodes=65536)), Fault.TRUNCATED)
        self.assertEqual(self.refused(packed(Nodes=65537)), Fault.LIMIT)

    def test_default_of_user_state(self) -> None:
        """20 MiB are accepted."""
        self.assertEqual(
            self.refused(packed(UserStateLen=20 * 1024 * 1024)), Fault.TRUNCATED
        )
        self.assertEqual(
            self.refused(packed(UserStateLen=20 * 1024 * 1024 + 1)), Fault.LIMIT
        )

    def test_too_large_a_peer(self) -> None:
        """What no datagram holds could not be spread."""
        large = GOOD | {b"Meta": bytes(100)}
        self.assertEqual(self.refused(packed(large), structure_bytes=100), Fault.LIMIT)

    def test_too_large_together(self) -> None:
        """Peers have a limit together, which user state counts towards."""
        data = packed(GOOD, GOOD, user=bytes(50))
        size = 2 * len(pack_fields(GOOD)) + 50
        read(data, evolve(DEFAULT_LIMITS, inflated_bytes=size))
        self.assertEqual(self.refused(data, inflated_bytes=size - 1), Fault.LIMIT)

    def test_decode(self) -> None:
        """`decode` reads the same, and leaves out the same."""
        data = b"\x06" + packed(GOOD, GOOD | {b"State": 9}, user=b"xyz")
        self.assertEqual(
            wire.decode(data),
            PushPull(join=True, peers=(PEER,), user_state=b"xyz"),
        )

    def test_linear(self) -> None:
        """Twice as many peers take twice as long."""
        once = lines(lambda: read(packed(*[GOOD] * 200)))
        twice = lines(lambda: read(packed(*[GOOD] * 400)))
        self.assertLess(twice, 2.1 * once)
