"""The gossip ring, and what discovery finds for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zope.interface import Attribute, Interface

from e2d.model import Address, Announcement, NodeName, RingView

__all__ = ["DiscoveryFailed", "IDiscovery", "IMembership", "Undelivered"]


class Undelivered(Exception):
    """
    A letter did not reach the node that it is for, as far as is known.

    :ivar reason: one short phrase.
    """

    def __init__(self, name: NodeName, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class DiscoveryFailed(Exception):
    """
    Could not tell who the other nodes are: which is not "there are none".

    :ivar reason: one line that says where, why, and what to do.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class IMembership(Interface):
    """
    Who is in the ring, and what they say of themselves; never a reason to act alone.

    It decides nothing. Views are values of one moment and cost nothing that grows with
    time; nothing here blocks or fails.
    """

    def view() -> RingView:
        """What is known now."""

    def subscribe(listener: Callable[[], None]) -> None:
        """
        Call ``listener`` after each change of who is there, in which rank, and of what
        they say: many changes at once may be one call.
        """

    def announce(announcement: Announcement) -> None:
        """
        Say this of this node from now on; the first time begins to gossip.

        To say again what was said is nothing new, and costs nothing. Under another
        name than before, this node leaves the ring and enters it again.
        """

    async def deliver(to: NodeName, letter: bytes) -> None:
        """
        Send a letter to one node, over a connection, sealed where the ring is.

        It returns when all of it was handed over; whether it was read, only an answer
        tells.

        :raises Undelivered: the ring has no such node alive, or it could not be reached
            within the time that a connection has.
        """

    def receive_letters(listener: Callable[[NodeName | None, bytes], None]) -> None:
        """
        Call ``listener`` with each letter from another node of this e2d, and with who
        in the ring has the address that it came from; None where that cannot be told.
        """


class IDiscovery(Interface):
    """Finds where other nodes gossip."""

    label = Attribute("What it asks, for people: ``the file /etc/peers``.")

    async def discover() -> Sequence[Address]:
        """
        Look them up, now. This node itself may be among them.

        :return: gossip addresses; hosts may be names. None at all means that the source
            says so.
        :raises DiscoveryFailed: it could not tell.
        """
