"""How much is accepted from outside."""

from __future__ import annotations

from attrs import frozen

__all__ = ["DEFAULT_LIMITS", "Limits"]

_KIB = 1024
_MIB = 1024 * _KIB


@frozen(kw_only=True)
class Limits:
    """
    The most that is accepted of anything that another decides the size of.

    :ivar packet_parts: messages in one packet, wrappers counted. A compound of
        memberlist's holds 255 at most, and it puts one into a packet.
    :ivar packet_inflated_bytes: what all compressed parts of a packet grow to
        together: twice the largest datagram, as memberlist allows a stream twice the
        largest frame. Only a user message may be larger than a datagram before it is
        compressed; without a limit 1400 bytes grow to 400 KiB.
    :ivar nesting: wrappers in wrappers. Real peers nest two: a compressed compound.
    :ivar frame_bytes: an encrypted frame of a stream, and what is in a compressed
        message; memberlist's number.
    :ivar inflated_bytes: a message of a stream, decompressed or sent plain;
        memberlist's number for the first, which has none for the second.
    :ivar peers: in one exchange of states. memberlist accepts a million, which would
        take half a gigabyte here; its largest rings have some ten thousand.
    :ivar structure_bytes: one structure of a stream, such as a peer's entry there: what
        does not fit into a datagram could not be spread by gossip either.
    :ivar user_bytes: user state, and a user message on a stream; memberlist's number.
    """

    packet_parts: int = 1024
    packet_inflated_bytes: int = 128 * _KIB
    nesting: int = 4
    frame_bytes: int = 20 * _MIB
    inflated_bytes: int = 40 * _MIB
    peers: int = 65536
    structure_bytes: int = 64 * _KIB
    user_bytes: int = 20 * _MIB


DEFAULT_LIMITS = Limits()
