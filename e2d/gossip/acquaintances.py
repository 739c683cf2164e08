"""
The peers that this node remembers, so that rings that lost each other find together.

Note [How memory ends]
    Cloud addresses are used again: what answered here once may be of another cluster by
    now. So an address at which nobody answered under our label for 24 hours is
    forgotten (A20). These are hours during which this e2d ran and asked: they are
    counted, and kept with the address. Neither a wall clock that jumped nor a node that
    was off for a week makes everybody look long silent, and no single step of a clock
    counts for more than `LONGEST_STEP_SECONDS`. When a peer answered is noted as well,
    for people; nothing is decided by it.

    A ring that is cut for longer than that is brought together by seeds and by
    discovery, which are asked for ever.

Note [Who is met]
    Whoever exchanged states with us answered under our label, and so did whom the ring
    holds alive: it is probed all the time, under that label, by all of us in turn.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address

from attrs import define, evolve, field, frozen

from e2d.gossip.places import address_of, peer_address
from e2d.model import Address, NodeName

__all__ = ["Acquaintance", "Acquaintances", "NotAcquaintances"]

MOST_KEPT = 256
"""More than any ring of etcd's has nodes; a file of them stays small."""

SILENT_SECONDS = 24 * 3600.0
"""See Note [How memory ends]."""

LONGEST_STEP_SECONDS = 300.0
"""Ten rounds of joins. What is longer was no time that this node asked in."""

QUIET_SECONDS = 120.0
"""Four rounds of joins, in each of which whoever the ring holds alive is met."""

MOST_NAME_CHARACTERS = 255
"""A longer name is no name of a node of ours, and is not remembered."""

_VERSION = 1
_LARGEST_PORT = 65535


class NotAcquaintances(Exception):
    """
    What was kept is not what peers are remembered in, or not those of this ring.

    :ivar reason: in one short phrase.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@frozen(kw_only=True)
class Acquaintance:
    """
    An address at which a peer answered.

    :param name: what it called itself, None where it did not say.
    :param answered_at: when it last did, by the wall clock: for people.
    :param unanswered_seconds: for how long this node has asked since.
    """

    address: Address
    name: NodeName | None
    answered_at: datetime
    unanswered_seconds: float = 0.0


@define(eq=False)
class Acquaintances:
    """
    Where peers answered under one label, whatever else is forgotten.

    :param label: of the ring, None for none.
    :param own: this node's own address, which is never remembered.
    """

    _label: str | None
    _own: Address
    _kept: dict[Address, Acquaintance] = field(factory=dict, init=False)

    def met(self, address: Address, name: NodeName | None, at: datetime) -> bool:
        """
        A peer answered; see Note [Who is met].

        When as many are kept as may be, it takes the place of whoever was silent for
        longest, and for more than `QUIET_SECONDS`; else of nobody: those who answer are
        not pushed out by others, however many come.

        :param address: where; nothing that cannot be connected to is remembered.
        :param name: None leaves the name that is known.
        :param at: now.
        :return: whether the set of addresses is another one now.
        """
        assert at.tzinfo is not None
        usable = _usable(address.host, address.port)
        if usable is None or usable == self._own:
            return False
        before = self._kept.get(usable)
        if before is None and not self._make_room():
            return False
        if name is None and before is not None:
            name = before.name
        self._kept[usable] = Acquaintance(
            address=usable, name=_bounded(name), answered_at=at
        )
        return before is None

    def asked(self, seconds: float) -> tuple[Address, ...]:
        """
        Count time that this node spent asking, and forget who was silent for too long.

        :param seconds: since this was last called, or since this node began to ask.
        :return: who was forgotten.
        """
        step = min(max(seconds, 0.0), LONGEST_STEP_SECONDS)
        aged = [
            evolve(one, unanswered_seconds=one.unanswered_seconds + step)
            for one in self._kept.values()
        ]
        self._kept = {
            one.address: one for one in aged if one.unanswered_seconds < SILENT_SECONDS
        }
        return tuple(one.address for one in aged if one.address not in self._kept)

    def addresses(self) -> tuple[Address, ...]:
        """Where peers are remembered, the least silent first."""
        return tuple(one.address for one in self.all())

    def all(self) -> tuple[Acquaintance, ...]:
        """All that is remembered, the least silent first."""
        return tuple(sorted(self._kept.values(), key=_silence))

    def to_document(self) -> dict[str, object]:
        """What JSON can hold; see `from_document`."""
        return {
            "version": _VERSION,
            "label": self._label,
            "peers": [_written(one) for one in self.all()],
        }

    @classmethod
    def from_document(
        cls, document: object, *, label: str | None, own: Address, at: datetime
    ) -> Acquaintances:
        """
        Remember what was written.

        :param document: anything at all that JSON can hold.
        :param at: now; whoever is said to answer later than that answers now.
        :raises NotAcquaintances: it is not what `to_document` gives for this label.
        """
        remembered = cls(label, own)
        for entry in _entries(document, label):
            one = _read(entry, at)
            if one.address != own and one.unanswered_seconds < SILENT_SECONDS:
                remembered._kept[one.address] = one
        return remembered

    def _make_room(self) -> bool:
        """Whether there is room for one more."""
        if len(self._kept) < MOST_KEPT:
            return True
        longest = max(self._kept.values(), key=_silence)
        if longest.unanswered_seconds <= QUIET_SECONDS:
            return False
        del self._kept[longest.address]
        return True


def _silence(one: Acquaintance) -> tuple[float, float, str]:
    """By the time that was counted; the wall clock only tells equals apart."""
    return one.unanswered_seconds, -one.answered_at.timestamp(), str(one.address)


def _bounded(name: NodeName | None) -> NodeName | None:
    return None if name is None or len(name) > MOST_NAME_CHARACTERS else name


def _written(one: Acquaintance) -> dict[str, object]:
    return {
        "host": one.address.host,
        "port": one.address.port,
        "name": one.name,
        "answeredAt": one.answered_at.isoformat(),
        "unansweredSeconds": round(one.unanswered_seconds, 3),
    }


def _entries(document: object, label: str | None) -> list[object]:
    if not isinstance(document, dict):
        raise NotAcquaintances("it is not a JSON object")
    version = document.get("version")
    if version != _VERSION:
        raise NotAcquaintances(
            "it is of a version that this e2d does not read"
            if isinstance(version, int)
            else "it has no version"
        )
    if document.get("label") != label:
        raise NotAcquaintances("it is of a ring with another label")
    peers = document.get("peers")
    if not isinstance(peers, list) or len(peers) > MOST_KEPT:
        raise NotAcquaintances(f"it is not a list of at most {MOST_KEPT} peers")
    return peers


def _read(entry: object, at: datetime) -> Acquaintance:
    match entry:
        case {
            "host": str(host),
            "port": int(port),
            "name": None | str() as name,
            "answeredAt": str(answered_at),
            "unansweredSeconds": int() | float() as seconds,
        }:
            return Acquaintance(
                address=_read_address(host, port),
                name=_bounded(None if name is None else NodeName(name)),
                answered_at=min(_read_moment(answered_at), at),
                unanswered_seconds=_read_seconds(seconds),
            )
        case _:
            raise NotAcquaintances("a peer in it is not described as one")


def _read_address(host: str, port: int) -> Address:
    address = None if isinstance(port, bool) else _usable(host, port)
    if address is None:
        raise NotAcquaintances("an address in it is none")
    return address


def _usable(host: str, port: int) -> Address | None:
    """An address that a peer can have; what others claim may be any."""
    try:
        literal = ip_address(host)
    except ValueError:
        return None
    nowhere = literal.is_unspecified or literal.is_multicast
    if nowhere or "%" in host or not 0 < port <= _LARGEST_PORT:
        return None
    return address_of(peer_address(host, port))


def _read_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise NotAcquaintances("a time in it is none") from None
    if moment.tzinfo is None:
        raise NotAcquaintances("a time in it is none")
    return moment


def _read_seconds(seconds: float) -> float:
    # What is no number at all is not 0 or more either.
    if isinstance(seconds, bool) or not seconds >= 0:
        raise NotAcquaintances("a number of seconds in it is none")
    return float(min(seconds, SILENT_SECONDS))
