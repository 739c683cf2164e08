"""Whatever happens to a peer, it stays one."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import wire
from e2d.swim.effects import Effect, ExchangeState, SendPacket
from e2d.swim.identity import DEFAULT_VERSIONS
from e2d.swim.messages import (
    Ack,
    Alive,
    Dead,
    IndirectPing,
    Nack,
    PeerState,
    Ping,
    PushPull,
    Rank,
    Suspect,
)
from e2d.swim.settings import LAN
from tests.swim.rings import OLD, Driven, address, of

_Step = Callable[[Driven], list[Effect]]

# Few names and numbers, so that what happens is about the same peers.
_NAMES = st.sampled_from([b"a", b"b", b"c", b"d", b""])
_NUMBERS = st.sampled_from([0, 1, 2, 3, 0xFFFF_FFFE, 0xFFFF_FFFF])
_ADDRESSES = st.integers(1, 5).map(address)
_FACTS = {
    "incarnation": _NUMBERS,
    "node": _NAMES,
    "address": _ADDRESSES,
    "meta": st.sampled_from([b"", b"meta", bytes(2000)]),
    "versions": st.sampled_from([DEFAULT_VERSIONS, OLD, None]),
}
_MESSAGES = (
    st.builds(Alive, **_FACTS)
    | st.builds(Suspect, incarnation=_NUMBERS, node=_NAMES, sender=_NAMES)
    | st.builds(Dead, incarnation=_NUMBERS, node=_NAMES, sender=_NAMES)
    | st.builds(Ping, sequence=_NUMBERS, node=_NAMES)
    | st.builds(
        IndirectPing,
        sequence=_NUMBERS,
        node=_NAMES,
        target=_ADDRESSES,
        nack=st.booleans(),
    )
    | st.builds(Ack, sequence=_NUMBERS)
    | st.builds(Nack, sequence=_NUMBERS)
)
_STATES = st.builds(
    PushPull,
    join=st.booleans(),
    peers=st.lists(
        st.builds(PeerState, rank=st.sampled_from(Rank), **_FACTS), max_size=4
    ).map(tuple),
)


def _hear(message: Alive | Suspect | Dead | Ping | IndirectPing | Ack | Nack) -> _Step:
    return lambda a: a.hear(message)


def _answer(remote: PushPull) -> _Step:
    exchange = ExchangeState(to=address(2), state=remote)
    return lambda a: a.swim.state_answered(exchange, remote, a.now)


def _merge(remote: PushPull) -> _Step:
    return lambda a: a.swim.receive_state(remote, address(2), a.now)[1]


def _wait(seconds: float) -> _Step:
    return lambda a: a.wait(seconds)


def _sleep(seconds: float) -> _Step:
    def sleep(a: Driven) -> list[Effect]:
        a.now += seconds
        return a.swim.handle_timer(a.now)

    return sleep


def _fail(to: int, remote: bool) -> _Step:
    return lambda a: a.swim.send_failed(address(to), a.now, remote=remote)


_STEPS = (
    st.builds(_hear, _MESSAGES)
    | st.builds(_answer, _STATES)
    | st.builds(_merge, _STATES)
    | st.builds(_wait, st.floats(0.0, 20.0))
    | st.builds(_sleep, st.floats(0.0, 100.0))
    | st.builds(_fail, st.integers(1, 5), st.booleans())
)


class AnythingTests(SynchronousTestCase):
    """Any messages, any states, and any time between them."""

    @given(st.lists(_STEPS, max_size=40))
    def test_stays_a_peer(self, steps: list[_Step]) -> None:
        """It stays alive, its word can be sent, and its bounds hold."""
        a = Driven(LAN)
        effects = [each for step in steps for each in step(a)]
        for packet in of(effects, SendPacket):
            self.assertLessEqual(sum(map(len, packet.parts)), 1400)
        for exchange in of(effects, ExchangeState):
            wire.encode(exchange.state)
        self.assertEqual(a.peer(b"a").rank, Rank.ALIVE)
        self.assertLess(a.swim.health_score, 8)
        self.assertLessEqual(len(a.swim.peers()), 4)
        self.assertLessEqual(a.swim.queue_length, 4)
        due = a.swim.next_timer()
        assert due is not None
        self.assertGreaterEqual(due, a.now)

    @given(st.lists(_STEPS, max_size=40))
    def test_incarnations_never_fall(self, steps: list[_Step]) -> None:
        """Our incarnation only ever grows, to the highest that there is."""
        a = Driven(LAN)
        seen = [a.swim.incarnation]
        for step in steps:
            step(a)
            seen.append(a.swim.incarnation)
        self.assertEqual(seen, sorted(seen))
        self.assertLessEqual(seen[-1], 0xFFFF_FFFF)
