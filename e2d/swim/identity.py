"""Who we are in the ring, and what we refuse."""

from __future__ import annotations

from collections.abc import Callable

from attrs import Attribute, evolve, field, frozen
from attrs.validators import min_len

from e2d.swim.messages import Alive, PeerAddress, PeerState, Source, Versions

__all__ = ["DEFAULT_VERSIONS", "Identity", "Vetoes"]

DEFAULT_VERSIONS = Versions(protocol_min=1, protocol_max=5, protocol=2)
"""What a memberlist of today speaks and understands; so do we."""

_WITHOUT_PORTS = 1
"""The version of the protocol in which all peers of a ring have the same port."""


@frozen(kw_only=True)
class Identity:
    """
    Who we are.

    :ivar name: unique in the ring, case-sensitive, kept over restarts.
    :ivar address: where others find us, always in the same form.
    :ivar meta: what the others are told about us, from the first message on.
    :ivar versions: what we speak and understand.
    :raises ValueError: the name is empty, the port is 0, or the version that we speak
        is not among those that we understand, 1 to 5.
    """

    name: bytes = field(validator=min_len(1))
    address: PeerAddress = field()
    meta: bytes = b""
    versions: Versions = field(default=DEFAULT_VERSIONS)

    @address.validator
    def _has_port(self, _: Attribute[PeerAddress], address: PeerAddress) -> None:
        if not address.port:
            raise ValueError("the address that others are told needs a port")

    @versions.validator
    def _speakable(self, _: Attribute[Versions], versions: Versions) -> None:
        ours = DEFAULT_VERSIONS
        lowest = max(ours.protocol_min, versions.protocol_min)
        highest = min(ours.protocol_max, versions.protocol_max)
        if not lowest <= versions.protocol <= highest:
            raise ValueError(f"no such version of the protocol: {versions.protocol}")

    @property
    def source(self) -> Source:
        """Whom to answer."""
        return Source(address=self.address, name=self.name)

    def located(self, address: PeerAddress) -> PeerAddress:
        """
        Where a peer is that was told of.

        Without a port, or in a ring that speaks of none, it has ours.
        """
        if address.port and self.versions.protocol != _WITHOUT_PORTS:
            return address
        return evolve(address, port=self.address.port)


@frozen(kw_only=True)
class Vetoes:
    """
    What is built on the protocol may refuse. Each gives a reason, or None to accept.

    :ivar alive: called with every claim that another is alive, before anything comes
        of it; also the place to refuse addresses. Claims about ourselves are refuted,
        whatever they say.
    :ivar merge: called with the other side's peers when either side joins.
    """

    alive: Callable[[Alive], str | None] | None = None
    merge: Callable[[tuple[PeerState, ...]], str | None] | None = None
