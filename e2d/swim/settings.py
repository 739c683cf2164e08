"""
Every number that the protocol can be tuned by.

Defaults are HashiCorp memberlist's, so that rings of both behave alike; where a number
is ours, its reason stands beside it. Times are in seconds.
"""

from __future__ import annotations

from attrs import evolve, field, frozen
from attrs.validators import ge, gt

__all__ = ["LAN", "LOCAL", "WAN", "Settings"]


def _seconds(default: float) -> float:
    return field(default=default, validator=gt(0))


def _at_least(least: int, default: int) -> int:
    return field(default=default, validator=ge(least))


@frozen(kw_only=True)
class Settings:
    """
    How fast a ring notices, how much it says, and what it bounds.

    :ivar probe_interval: between two probes, and how long one lasts while we are
        healthy. Each peer is probed once in as many intervals as there are peers.
    :ivar probe_timeout: how long an answer may take before others are asked to probe.
        It should exceed nearly all round trips.
    :ivar indirect_checks: how many others are asked.
    :ivar stream_pings: whether a peer that does not answer by UDP is tried by TCP, so
        that a blocked port is told from a dead peer.
    :ivar awareness_most: probes last up to so many times longer while we are unwell,
        by our own evidence: refutations, and probes that others say failed here.
    :ivar suspicion_mult: how many probe intervals, and for large rings the logarithm
        of their size times as many, a suspect has to refute.
    :ivar suspicion_most_mult: so many times longer while nobody else confirms it.
    :ivar gossip_interval: between two rounds of gossip.
    :ivar gossip_peers: to how many peers a round goes.
    :ivar gossip_to_the_dead: for how long a dead peer still gets gossip, so that one
        that was only cut off hears of its death and refutes it. After that it is
        forgotten.
    :ivar retransmit_mult: how often news is sent, times the logarithm of the ring's
        size.
    :ivar exchange_interval: between two exchanges of all that is known with one peer.
    :ivar exchange_scale_above: in larger rings, the interval grows by one with each
        doubling: an exchange grows with the ring, so that the load would square.
    :ivar dead_reclaim: for how long the name of a dead peer is kept for its old
        address. memberlist's default keeps it until the peer is forgotten; but names
        of nodes are stable while their addresses change, so that a replaced machine
        would be refused as an impostor for the first minute of its life. Long enough
        for a peer that only stalled to refute first, which takes it some rounds of
        gossip.
    :ivar packet_bytes: the most that is sent in one packet, to stay below the smallest
        usual MTU with its headers.
    :ivar meta_bytes: the most metadata of our own. Others may send more.
    :ivar late_after: a deadline that is found overdue by more means that we were
        paused, not the others: time we did not see does not count against anybody. A
        busy process is late by less, and every deadline here is meant to tolerate it.
    :ivar settle_after_pause: how long, after a pause, what arrived in the meantime has
        to be read before the next deadline counts.
    :ivar peers_most: how many peers are remembered, so that forged claims do not fill
        the memory. The largest rings of memberlist have some ten thousand.
    :ivar user_broadcasts_most: how many broadcasts of what is built on us wait; the
        most often sent give way.
    :ivar relays_most: how many probes for others are under way at once. More means
        that somebody abuses us.
    :ivar stream_timeout: what whoever drives us allows for each step of a stream.
    """

    probe_interval: float = _seconds(1.0)
    probe_timeout: float = _seconds(0.5)
    indirect_checks: int = _at_least(0, 3)
    stream_pings: bool = True
    awareness_most: int = _at_least(1, 8)
    suspicion_mult: int = _at_least(1, 4)
    suspicion_most_mult: int = _at_least(1, 6)
    gossip_interval: float = _seconds(0.2)
    gossip_peers: int = _at_least(1, 3)
    gossip_to_the_dead: float = _seconds(30.0)
    retransmit_mult: int = _at_least(1, 4)
    exchange_interval: float = _seconds(30.0)
    exchange_scale_above: int = _at_least(2, 32)
    dead_reclaim: float = _seconds(10.0)
    packet_bytes: int = _at_least(576, 1400)
    meta_bytes: int = _at_least(0, 512)
    late_after: float = _seconds(2.0)
    settle_after_pause: float = _seconds(0.5)
    peers_most: int = _at_least(2, 10_000)
    user_broadcasts_most: int = _at_least(1, 1024)
    relays_most: int = _at_least(1, 1024)
    stream_timeout: float = _seconds(10.0)


LAN = Settings()
"""One data centre."""

WAN = evolve(
    LAN,
    stream_timeout=30.0,
    suspicion_mult=6,
    exchange_interval=60.0,
    probe_interval=5.0,
    probe_timeout=3.0,
    gossip_interval=0.5,
    gossip_peers=4,
    gossip_to_the_dead=60.0,
    dead_reclaim=20.0,
    settle_after_pause=3.0,
)
"""Several, with slow lines between them."""

LOCAL = evolve(
    LAN,
    stream_timeout=1.0,
    indirect_checks=1,
    retransmit_mult=2,
    suspicion_mult=3,
    exchange_interval=15.0,
    probe_timeout=0.2,
    gossip_interval=0.1,
    gossip_to_the_dead=15.0,
    dead_reclaim=5.0,
    settle_after_pause=0.2,
)
"""One machine, as for tests."""
