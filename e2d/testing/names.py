"""Names in memory: they point to what the test says."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer

__all__ = ["MemoryNames"]


@implementer(IHostResolution)
@define(eq=False)
class _Resolution:
    name: str

    def cancel(self) -> None:
        """As little as with Twisted's own."""
        raise NotImplementedError


@implementer(IHostnameResolver)
@define(eq=False)
class MemoryNames:
    """
    Looks names up at once, in a mapping.

    :ivar hosts: the addresses of names; what is not in it has none.
    :ivar hanging: names whose lookups end with `answer` only.
    :ivar asked: the names that were looked up.
    """

    hosts: dict[str, Sequence[str]] = field(factory=dict)
    hanging: set[str] = field(factory=set)
    asked: list[str] = field(factory=list)
    _waiting: list[tuple[str, IResolutionReceiver]] = field(factory=list, init=False)

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """See `IHostnameResolver.resolveHostName`."""
        self.asked.append(hostName)
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        if hostName in self.hanging:
            self._waiting.append((hostName, resolutionReceiver))
        else:
            self._complete(hostName, resolutionReceiver)
        return resolution

    def answer(self) -> None:
        """End what hangs."""
        self.hanging.clear()
        waiting, self._waiting = self._waiting, []
        for name, receiver in waiting:
            self._complete(name, receiver)

    def _complete(self, name: str, receiver: IResolutionReceiver) -> None:
        for host in self.hosts.get(name, ()):
            kind = IPv6Address if ":" in host else IPv4Address
            receiver.addressResolved(kind("TCP", host, 0))
        receiver.resolutionComplete()
