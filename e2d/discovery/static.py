"""Seeds that are configured."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from zope.interface import implementer

from e2d.interfaces.membership import IDiscovery
from e2d.model import Address

__all__ = ["StaticSeeds"]


@implementer(IDiscovery)
@frozen
class StaticSeeds:
    """
    The gossip addresses of ``discovery.initialPeers``.

    :param addresses: as configured; none of them at all is an answer too.
    """

    _addresses: tuple[Address, ...]

    @property
    def label(self) -> str:
        """Where they are written."""
        return "discovery.initialPeers"

    async def discover(self) -> Sequence[Address]:
        """Never fails."""
        return self._addresses
