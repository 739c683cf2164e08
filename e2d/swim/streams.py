"""
Streams: how a message travels by TCP, one in each direction of a connection.

Who dialled writes the label first; who accepted never does, though what it seals is
bound to the label too. Then comes the message, compressed, then sealed into a frame:

.. code-block:: text

   10 || length of what follows:u32 || sealed, bound to these five bytes and the label
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from e2d.swim import wire
from e2d.swim.arrivals import Arrivals, Reading
from e2d.swim.compression import deflate, inflate
from e2d.swim.errors import Fault, WireError
from e2d.swim.kinds import (
    ACK,
    COMPRESS,
    ENCRYPT,
    ERROR,
    LABEL,
    PING,
    PUSH_PULL,
    USER,
)
from e2d.swim.limits import DEFAULT_LIMITS, Limits
from e2d.swim.messages import Message, UserMessage
from e2d.swim.packets import Framing
from e2d.swim.states import pack_user, read_push_pull, read_user

__all__ = ["StreamReader", "write"]

_FRAME = struct.Struct(">BI")
_REQUESTS = frozenset({PING, PUSH_PULL, USER})
_REPLIES = frozenset({ACK, PUSH_PULL, ERROR})


def write(
    message: Message,
    framing: Framing,
    *,
    dialling: bool,
    nonce: Callable[[int], bytes],
) -> bytes:
    """
    All that one side writes.

    :param message: a ping, an exchange of states or a user message of who dialled; an
        ack, an exchange or an error of who accepted.
    :param nonce: gives so many bytes that were never used with the key before.
    """
    if isinstance(message, UserMessage):
        stream = b"%c%b" % (USER, pack_user(message))
    else:
        stream = wire.encode(message)
    assert stream[0] in (_REQUESTS if dialling else _REPLIES)
    if framing.compression:
        stream = deflate(stream)
    if framing.keyring is not None and framing.verify_outgoing:
        stream = _seal(stream, framing, nonce)
    return framing.label_header + stream if dialling else stream


def _seal(stream: bytes, framing: Framing, nonce: Callable[[int], bytes]) -> bytes:
    assert framing.keyring is not None
    version = framing.seal_version
    size = framing.keyring.sealed_bytes(len(stream), version)
    assert size <= DEFAULT_LIMITS.frame_bytes, "no peer would accept it"
    head = _FRAME.pack(ENCRYPT, size)
    return head + framing.keyring.seal(
        stream, version=version, associated=head + framing.label, nonce=nonce
    )


class StreamReader:
    """
    What the other side of a connection writes, read as it arrives.

    It never needs the connection to be half closed, and takes no longer than the number
    of bytes says, however they are cut.

    :param accepting: the other side dialled.
    """

    def __init__(
        self, framing: Framing, *, accepting: bool, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._framing = framing
        self._accepting = accepting
        self._limits = limits
        self._arrivals = Arrivals()
        self._reading = self._read()
        self._started = False
        self._over = False
        self._dropped: tuple[Fault, ...] = ()

    @property
    def dropped(self) -> tuple[Fault, ...]:
        """For each peer that was left out of an exchange of states, why."""
        return self._dropped

    def feed(self, data: bytes) -> Message | None:
        """
        Read on.

        :return: the message, once, as soon as all of it has arrived. What follows it is
            ignored.
        :raises WireError: it is damaged, too large, not for us, or not to be expected
            here; the connection is to be closed, if need be after a reply.
        """
        self._started = self._started or bool(data)
        if self._over:
            return None
        self._arrivals.add(data)
        return self._resume()

    def end(self) -> None:
        """
        The other side writes no more.

        :raises WireError: it stopped in the middle of a message. To write nothing at
            all is no error.
        """
        if self._started and not self._over:
            self._arrivals.end()
            self._resume()

    def _resume(self) -> Message | None:
        self._over = True
        try:
            next(self._reading)
        except StopIteration as stop:
            message: Message = stop.value
            return message
        self._over = False
        return None

    def _read(self) -> Reading[Message]:
        kind = yield from self._first()
        try:
            kind, inside = yield from self._unwrapped(kind)
        except WireError as error:
            error.owes_reply = self._accepting
            raise
        if kind not in (_REQUESTS if self._accepting else _REPLIES):
            raise WireError(Fault.MISPLACED, f"type {kind} is not expected here")
        return (yield from self._message(kind, inside))

    def _first(self) -> Reading[int]:
        """The first byte after the label, which only who dialled writes."""
        kind = yield from self._arrivals.byte()
        if not self._accepting:
            return kind
        label = b""
        if kind == LABEL:
            size = yield from self._arrivals.byte()
            label = yield from self._arrivals.take(size)
        if label != self._framing.label or (kind == LABEL and not label):
            raise WireError(Fault.LABEL, "a stream with another label than ours")
        return (yield from self._arrivals.byte()) if label else kind

    def _unwrapped(self, kind: int) -> Reading[tuple[int, Arrivals]]:
        """The type of the message, and where the rest of it is."""
        inside = self._arrivals
        if kind == ENCRYPT:
            inside = Arrivals((yield from self._opened_frame()), ended=True)
            kind = yield from inside.byte()
        elif self._framing.keyring is not None and self._framing.verify_incoming:
            raise WireError(Fault.SEALED, "not encrypted, though it has to be")
        if kind == COMPRESS:
            body = yield from inside.value(self._limits.frame_bytes)
            message = inflate(body, self._limits.inflated_bytes)
            inside = Arrivals(message, ended=True)
            kind = yield from inside.byte()
        return kind, inside

    def _opened_frame(self) -> Reading[bytes]:
        if self._framing.keyring is None:
            raise WireError(Fault.SEALED, "encrypted, though there are no keys")
        packed = yield from self._arrivals.take(_FRAME.size - 1)
        size = int.from_bytes(packed, "big")
        if size > self._limits.frame_bytes:
            raise WireError(Fault.LIMIT, f"an encrypted frame of {size} bytes")
        sealed = yield from self._arrivals.take(size)
        associated = b"%c%b%b" % (ENCRYPT, packed, self._framing.label)
        return self._framing.keyring.open(sealed, associated)

    def _message(self, kind: int, inside: Arrivals) -> Reading[Message]:
        if kind == PUSH_PULL:
            reading = read_push_pull(inside, self._limits)
            exchange, self._dropped = yield from reading
            return exchange
        if kind == USER:
            return (yield from read_user(inside, self._limits))
        packed = yield from inside.value(self._limits.structure_bytes)
        return wire.decode(b"%c%b" % (kind, packed))
