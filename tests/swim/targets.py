"""
What fuzzing runs: any bytes at all must be refused properly, or mean the same again.

The first byte of an input says how the rest comes, so that chance need not find out how
to compress or to seal.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from e2d.swim import packets, streams, wire
from e2d.swim.compression import deflate
from e2d.swim.errors import Fault, WireError
from e2d.swim.fields import pack_fields
from e2d.swim.limits import DEFAULT_LIMITS
from e2d.swim.messages import Message
from e2d.swim.packets import MOST_PARTS, Framing
from e2d.swim.sealing import Keyring
from e2d.swim.streams import StreamReader
from tests.swim.strategies import nonce

PLAIN = Framing(compression=False)
BLUE = evolve(PLAIN, label=b"blue")
KEYED = evolve(PLAIN, keyring=Keyring((bytes(16),)))
PADDED = evolve(KEYED, protocol=1)
LENIENT = evolve(KEYED, verify_incoming=False)

_RING = Keyring((bytes(16),))


def packet(data: bytes) -> None:
    """Take a packet apart, and put what was in it together again."""
    mode, body = data[:1], data[1:]
    if not mode:
        return
    framing, received = _PACKETS[mode[0] % len(_PACKETS)](body)
    try:
        unpacked = packets.unpack(received, framing)
    except WireError as error:
        assert error.reason
        return
    assert len(unpacked.messages) <= DEFAULT_LIMITS.packet_parts
    for start in range(0, len(unpacked.messages), MOST_PARTS):
        _again(unpacked.messages[start : start + MOST_PARTS])


def _again(messages: tuple[Message, ...]) -> None:
    parts = [wire.encode(each) for each in messages]
    if sum(map(len, parts)) < 0xFFFF:
        made = packets.pack(parts, PLAIN, checksum=True, nonce=nonce)
        assert packets.unpack(made, PLAIN).messages == messages


def _sealed(body: bytes, version: int) -> bytes:
    return _RING.seal(body, version=version, associated=b"", nonce=nonce)


def _labelled(body: bytes) -> tuple[Framing, bytes]:
    return BLUE, BLUE.label_header + body


def _packed(body: bytes) -> bytes:
    """As if it was what LZW makes."""
    return b"\x09" + pack_fields({b"Algo": 0, b"Buf": body})


_PACKETS: tuple[Callable[[bytes], tuple[Framing, bytes]], ...] = (
    lambda body: (PLAIN, body),
    _labelled,
    lambda body: (PLAIN, deflate(body)),
    lambda body: (PLAIN, _packed(body)),
    lambda body: (KEYED, body),
    lambda body: (LENIENT, body),
    lambda body: (KEYED, _sealed(body, 1)),
    lambda body: (PADDED, _sealed(body, 0)),
)


def stream(data: bytes) -> None:
    """Read a stream at once and in pieces, and write what was in it again."""
    if len(data) < _STREAM_HEAD:
        return
    mode, size, body = data[0], 1 + data[1], data[_STREAM_HEAD:]
    accepting = bool(mode & 1)
    framing, received = _STREAMS[(mode >> 1) % len(_STREAMS)](body)
    fate = _fate(framing, accepting, [received])
    pieces = [received[at : at + size] for at in range(0, len(received), size)]
    assert fate == _fate(framing, accepting, pieces)
    message, _ = fate
    if message is not None:
        made = streams.write(message, framing, dialling=accepting, nonce=nonce)
        assert _fate(framing, accepting, [made]) == (message, None)


_STREAM_HEAD = 2


def _fate(
    framing: Framing, accepting: bool, pieces: list[bytes]
) -> tuple[Message | None, Fault | None]:
    reader = StreamReader(framing, accepting=accepting)
    try:
        for piece in pieces:
            if (message := reader.feed(piece)) is not None:
                return message, None
        reader.end()
    except WireError as error:
        assert error.reason
        return None, error.fault
    return None, None


def _framed(body: bytes) -> bytes:
    head = b"\x0a" + _RING.sealed_bytes(len(body), 1).to_bytes(4)
    return head + _RING.seal(body, version=1, associated=head, nonce=nonce)


_STREAMS: tuple[Callable[[bytes], tuple[Framing, bytes]], ...] = (
    lambda body: (PLAIN, body),
    _labelled,
    lambda body: (PLAIN, deflate(body)),
    lambda body: (PLAIN, _packed(body)),
    lambda body: (KEYED, body),
    lambda body: (LENIENT, body),
    lambda body: (KEYED, _framed(body)),
    lambda body: (KEYED, _framed(deflate(body))),
)

TARGETS = {"packets": packet, "streams": stream}
"""By the name of their corpus, below ``tests/fixtures/swim-corpus``."""
