"""Whatever a peer may have to say, for hypothesis."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from e2d.swim.messages import (
    Ack,
    Alive,
    Dead,
    ErrorReply,
    IndirectPing,
    Message,
    Nack,
    PeerAddress,
    PeerState,
    Ping,
    PushPull,
    Rank,
    Source,
    Suspect,
    UnknownMessage,
    UserMessage,
    Versions,
)
from e2d.swim.packets import Framing
from e2d.swim.sealing import Keyring

NUMBERS = st.integers(0, 2**32 - 1)
NAMES = st.binary(max_size=40)
METAS = st.binary(max_size=600)
BYTES = st.integers(0, 255)
HOSTS = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)

ADDRESSES = st.builds(PeerAddress, HOSTS, st.integers(0, 65535))
VERSIONS = st.none() | st.builds(
    Versions,
    protocol_min=BYTES,
    protocol_max=BYTES,
    protocol=BYTES,
    delegate_min=BYTES,
    delegate_max=BYTES,
    delegate=BYTES,
)
# A source that says nothing, or has no port, is as good as none.
SOURCES = (
    st.none()
    | st.builds(Source, address=st.none(), name=st.binary(min_size=1, max_size=40))
    | st.builds(
        Source,
        address=st.builds(PeerAddress, HOSTS, st.integers(1, 65535)),
        name=NAMES,
    )
)

PINGS = st.builds(Ping, sequence=NUMBERS, node=NAMES, source=SOURCES)
ACKS = st.builds(Ack, sequence=NUMBERS, payload=METAS)
USER_MESSAGES = st.builds(UserMessage, METAS)
ERROR_REPLIES = st.builds(ErrorReply, st.text(max_size=200))
PEERS = st.builds(
    PeerState,
    incarnation=NUMBERS,
    node=NAMES,
    address=ADDRESSES,
    meta=METAS,
    rank=st.sampled_from(Rank),
    versions=VERSIONS,
)
EXCHANGES = st.builds(
    PushPull,
    join=st.booleans(),
    peers=st.lists(PEERS, max_size=5).map(tuple),
    user_state=METAS,
)
UNKNOWN = st.builds(UnknownMessage, st.integers(14, 243) | st.integers(245, 255), METAS)

PACKET_MESSAGES: st.SearchStrategy[Message] = (
    PINGS
    | ACKS
    | USER_MESSAGES
    | UNKNOWN
    | st.builds(
        IndirectPing,
        sequence=NUMBERS,
        node=NAMES,
        target=ADDRESSES,
        nack=st.booleans(),
        source=SOURCES,
    )
    | st.builds(Nack, sequence=NUMBERS)
    | st.builds(Suspect, incarnation=NUMBERS, node=NAMES, sender=NAMES)
    | st.builds(Dead, incarnation=NUMBERS, node=NAMES, sender=NAMES)
    | st.builds(
        Alive,
        incarnation=NUMBERS,
        node=NAMES,
        address=ADDRESSES,
        meta=METAS,
        versions=VERSIONS,
    )
)
REQUESTS: st.SearchStrategy[Message] = PINGS | EXCHANGES | USER_MESSAGES
REPLIES: st.SearchStrategy[Message] = ACKS | EXCHANGES | ERROR_REPLIES

KEYRINGS = st.lists(
    st.sampled_from([bytes([size]) * size for size in (16, 24, 32)]),
    min_size=1,
    max_size=3,
    unique=True,
).map(lambda keys: Keyring(tuple(keys)))

FRAMINGS = st.builds(
    Framing,
    label=st.binary(max_size=20) | st.binary(min_size=255, max_size=255),
    keyring=st.none() | KEYRINGS,
    verify_incoming=st.booleans(),
    verify_outgoing=st.just(True),
    compression=st.booleans(),
    protocol=st.integers(1, 5),
)


def nonce(size: int) -> bytes:
    """One is as good as another where nothing is secret."""
    return bytes(size)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Data in pieces."""
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]
