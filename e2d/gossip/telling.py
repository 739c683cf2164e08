"""What of the ring's news is said in the log, and how."""

from __future__ import annotations

from twisted.logger import Logger

from e2d.gossip.knowledge import name_of
from e2d.gossip.places import address_of
from e2d.swim.effects import (
    News,
    PausedFor,
    Peer,
    PeerCleared,
    PeerForgotten,
    PeerJoined,
    PeerLeft,
    PeerSuspected,
    ReachedByStream,
    Refuted,
)
from e2d.swim.messages import Rank

__all__ = ["tell"]


def tell(news: News, own: bytes, log: Logger) -> None:
    """
    Say it, if it is a change of state.

    What comes with each packet is not said, and bad input is complained of elsewhere.

    :param own: the name of this node: that it enters and leaves, others say.
    """
    match news:
        case PeerJoined(peer) | PeerLeft(peer) if peer.name == own:
            pass
        case PeerJoined() | PeerCleared() | PeerForgotten() | PeerLeft():
            _tell_of_peer(news.peer, _how(news), log)
        case PeerSuspected(peer=peer, by=by):
            _tell_of_peer(peer, f"does not answer gossip, says {name_of(by)}", log)
        case ReachedByStream():
            _tell_of_peer(
                news.peer,
                "answers gossip by TCP and not by UDP: a firewall, or a network that"
                " loses packets? Open the gossip port for UDP both ways",
                log,
            )
        case Refuted():
            log.info(
                "The ring held this node for dead or changed, and was told otherwise"
                " (incarnation {incarnation})",
                incarnation=news.incarnation,
            )
        case PausedFor():
            log.info(
                "Gossip stood still for {seconds} s: this counts against nobody",
                seconds=round(news.seconds, 1),
            )
        case _:
            pass


def _how(news: PeerJoined | PeerCleared | PeerForgotten | PeerLeft) -> str:
    match news:
        case PeerJoined():
            return "is in the ring"
        case PeerCleared():
            return "answers gossip again"
        case PeerForgotten():
            return "has been gone for long: the ring forgets it"
        case PeerLeft():
            if news.peer.rank is Rank.LEFT:
                return "left the ring, as it said"
            return "is dead to the ring: it did not answer gossip for too long"


def _tell_of_peer(peer: Peer, how: str, log: Logger) -> None:
    log.info(
        "{member} at {address} {how}",
        member=name_of(peer.name),
        address=str(address_of(peer.address)),
        how=how,
    )
