"""What the control socket does with the keys of the gossip ring."""

from __future__ import annotations

from attrs import frozen

from e2d.api.answers import Answer, json_answer
from e2d.api.commands import parse_empty, parse_key, parse_key_name
from e2d.api.documents import Document
from e2d.api.listening import Peer
from e2d.interfaces import IRingKeys, KeyChangeRefused
from e2d.model import KeySurvey, NodeKeys

__all__ = ["KeyCommands"]


@frozen
class KeyCommands:
    """
    Keys by their names, never the keys.

    :param keys: None where this node takes part in no ring.
    """

    _keys: IRingKeys | None

    async def survey(self, body: bytes, _peer: Peer) -> Answer:
        """What each node has."""
        parse_empty(body)
        return json_answer(_survey(await self._there().survey()))

    async def add(self, body: bytes, peer: Peer) -> Answer:
        """Have all accept a key."""
        key = parse_key(body)
        return json_answer({"added": await self._there().add(key, str(peer))})

    async def use(self, body: bytes, peer: Peer) -> Answer:
        """Have all use a key."""
        name = parse_key_name(body)
        await self._there().use(name, str(peer))
        return json_answer({"used": name})

    async def remove(self, body: bytes, peer: Peer) -> Answer:
        """Have all drop a key."""
        name = parse_key_name(body)
        await self._there().remove(name, str(peer))
        return json_answer({"removed": name})

    async def rotate(self, body: bytes, peer: Peer) -> Answer:
        """Have all change to a key."""
        key = parse_key(body)
        return json_answer({"used": await self._there().rotate(key, str(peer))})

    async def abort(self, body: bytes, peer: Peer) -> Answer:
        """End a change, and go back."""
        parse_empty(body)
        return json_answer({"used": await self._there().abort(str(peer))})

    def _there(self) -> IRingKeys:
        if self._keys is None:
            raise KeyChangeRefused("this node takes part in no gossip ring")
        return self._keys


def _survey(survey: KeySurvey) -> Document:
    return {
        "nodes": {
            str(node): None if keys is None else _node(keys)
            for node, keys in sorted(survey.answers.items())
        }
    }


def _node(keys: NodeKeys) -> Document:
    change = keys.change
    return {
        "primary": keys.primary,
        "accepted": list(keys.names),
        "changing": None if change is None else {"new": change.new, "old": change.old},
        "retiring": {name: at.isoformat() for name, at in keys.retiring},
    }
