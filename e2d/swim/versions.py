"""
Whether peers understand each other: of two rings that met, everybody must understand
what anybody speaks.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from e2d.swim.members import Record
from e2d.swim.messages import PeerState, Rank, Versions

__all__ = ["disagreement"]

_NONE = Versions(protocol_min=0, protocol_max=0, protocol=0)
"""What a peer without versions speaks; memberlist holds that against it."""

_HIGHEST = 255


@frozen(kw_only=True)
class _Common:
    """What all who are alive understand."""

    protocol: range
    delegate: range


def disagreement(remote: Iterable[PeerState], local: Iterable[Record]) -> str | None:
    """
    Why two rings must not become one, or None.

    What counts as understood is what the living understand; but the dead must speak
    it, too. That is memberlist's rule.

    :param remote: the peers of the other.
    :param local: the peers of ours.
    """
    peers = [(each.node, each.rank, each.versions) for each in remote]
    peers += [(each.name, each.rank, each.versions) for each in local]
    common = _common(
        [
            versions
            for _, rank, versions in peers
            if versions is not None and rank is Rank.ALIVE
        ]
    )
    for node, _, versions in peers:
        spoken = versions or _NONE
        if spoken.protocol not in common.protocol:
            return f"{_text(node)} speaks version {spoken.protocol} of the protocol"
        if spoken.delegate not in common.delegate:
            return f"{_text(node)} speaks version {spoken.delegate} of the delegate's"
    return None


def _common(living: list[Versions]) -> _Common:
    return _Common(
        protocol=range(
            max((each.protocol_min for each in living), default=0),
            min((each.protocol_max for each in living), default=_HIGHEST) + 1,
        ),
        delegate=range(
            max((each.delegate_min for each in living), default=0),
            min((each.delegate_max for each in living), default=_HIGHEST) + 1,
        ),
    )


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
