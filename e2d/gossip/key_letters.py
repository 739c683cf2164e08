"""Letters about keys: what one node asks of another, and the answer."""

from __future__ import annotations

import re
from enum import IntEnum

from attrs import frozen

from e2d.gossip.errors import PayloadError
from e2d.gossip.packing import octets, pack, text, unpack
from e2d.model import KeyChange, KeyName, NodeKeys
from e2d.swim.sealing import KEY_BYTES

__all__ = [
    "ID_BYTES",
    "NO_KEY",
    "KeyAnswer",
    "KeyRequest",
    "Wish",
    "pack_letter",
    "read_letter",
]

TOPIC = "keys"
"""The first value of each such letter: other letters are about something else."""

_LETTER_BYTES = 4096
_COUNT = 8
ID_BYTES = 8
_KEY_NAME = re.compile("[0-9a-f]{8}")
_MOST_KEYS = 64
_REFUSAL_CHARACTERS = 300
_REQUEST, _ANSWER = "ask", "answer"


NO_KEY = KeyName("")
"""Where a letter is about no key."""


class Wish(IntEnum):
    """What is asked; the numbers are the wire's."""

    TELL = 1
    """What keys do you have?"""
    ADD = 2
    """Accept this key; a change to it is under way."""
    USE = 3
    """Seal with this key."""
    REMOVE = 4
    """Accept this key no longer."""
    SETTLE = 5
    """The change is over: everybody uses the key."""
    LOCK = 6
    """What keys do you have? And let nobody else change them until I say so."""
    UNLOCK = 7
    """I have nothing more to ask."""


@frozen(kw_only=True)
class KeyRequest:
    """
    One node asks another.

    :param request_id: random, to tell answers apart.
    :param owner: random, of the command that this is a part of: while one has a lock
        here, others are refused, and so is what arrives after its end.
    :param name: which key; empty for `Wish.TELL`.
    :param key: the key itself, with `Wish.ADD`; such letters travel sealed only.
    :param old: with `Wish.ADD`, the key in use before.
    """

    wish: Wish
    request_id: bytes = bytes(8)
    owner: bytes = bytes(8)
    name: KeyName = NO_KEY
    key: bytes = b""
    old: KeyName = NO_KEY


@frozen(kw_only=True)
class KeyAnswer:
    """
    What came of a request.

    :param refusal: why it was not done, one line; empty where it was.
    :param keys: what the node has now.
    """

    request_id: bytes
    refusal: str
    keys: NodeKeys


def pack_letter(letter: KeyRequest | KeyAnswer) -> bytes:
    """Write one."""
    if isinstance(letter, KeyRequest):
        return pack(
            (
                TOPIC,
                _REQUEST,
                letter.request_id,
                int(letter.wish),
                letter.name,
                letter.key,
                letter.old,
                letter.owner,
            )
        )
    keys = letter.keys
    change = keys.change
    return pack(
        (
            TOPIC,
            _ANSWER,
            letter.request_id,
            letter.refusal[:_REFUSAL_CHARACTERS],
            list(keys.names[:_MOST_KEYS]),
            None if change is None else change.new,
            None if change is None else change.old,
            None,
        )
    )


def read_letter(data: bytes) -> KeyRequest | KeyAnswer | None:
    """
    Read one.

    :return: None for a letter about something else.
    :raises PayloadError: it is about keys, and not understood.
    """
    topic, *values = unpack(data, _COUNT, _LETTER_BYTES)
    if topic != TOPIC:
        return None
    kind, request_id, *rest = values
    known = octets(request_id, "the request's id", ID_BYTES)
    if kind == _REQUEST:
        return _request(known, *rest)
    if kind == _ANSWER:
        return _answer(known, *rest)
    raise PayloadError("a letter about keys that is neither question nor answer")


def _request(
    request_id: bytes,
    wish: object,
    name: object,
    key: object,
    old: object,
    owner: object,
) -> KeyRequest:
    if type(wish) is not int or wish not in set(Wish):
        raise PayloadError("a wish about keys that this version does not know")
    if not isinstance(key, bytes) or len(key) not in {0, *KEY_BYTES}:
        raise PayloadError("a key of another length than keys have")
    return KeyRequest(
        request_id=request_id,
        wish=Wish(wish),
        owner=octets(owner, "the owner of a lock", ID_BYTES),
        name=_name_or_none(name) or NO_KEY,
        key=key,
        old=_name_or_none(old) or NO_KEY,
    )


def _answer(
    request_id: bytes,
    refusal: object,
    names: object,
    new: object,
    old: object,
    _: object,
) -> KeyAnswer:
    if not isinstance(names, list) or not names:
        raise PayloadError("an answer without keys")
    change = None
    if new is not None or old is not None:
        change = KeyChange(new=_key_name(new), old=_key_name(old))
    return KeyAnswer(
        request_id=request_id,
        refusal=text(refusal, "the refusal") if refusal else "",
        keys=NodeKeys(names=tuple(map(_key_name, names)), change=change),
    )


def _name_or_none(value: object) -> KeyName | None:
    return None if value == "" else _key_name(value)


def _key_name(value: object) -> KeyName:
    name = text(value, "the name of a key")
    if _KEY_NAME.fullmatch(name) is None:
        raise PayloadError("not the name of a key")
    return KeyName(name)
