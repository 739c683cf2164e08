"""
What gossip costs.

``codec``: messages that one core encodes and decodes in a second, in full packets of
1400 bytes: plain, with AES-256, and compressed. Beside each is what its layers take of
that time when they run alone on the same data. The whole is measured against the
MessagePack library alone; all take turns.

``detection``: how long after a member was killed the others hold it dead, in rings of
5, 20 and 50, with the settings for a local network. In ours, at most ten processes
share the members, and none of them runs anything but the protocol.

``idle``: processor time and memory of a member of a ring of 20 with nothing to do. Ours
is all of the daemon that is about gossip, in a process of its own.

``wire``: bytes a second that such a member sends, with the headers of IP, UDP and TCP:
with nothing to tell, and with somebody's metadata changed every three seconds. Each
ring has a network namespace of its own, and what went over its loopback is divided by
20.

The other side of these three is HashiCorp's memberlist, in the programs that
``scripts/build-gopeer`` builds. Both sides run at the same time, say the same of
themselves, and use neither keys nor anything but the defaults of the protocol.

``python benchmarks/gossip.py [--part NAME] [--memberlist 0.2] [--kills 30]
[--seconds 300]``. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from zlib import crc32

from attrs import frozen
from rings.detection import detection
from rings.idle import idle
from rings.kinds import GO_LINES
from rings.processes import Unmeasured
from rings.wire import sent

from e2d.swim import lzw, packets, wire
from e2d.swim.fields import pack_fields, read_fields
from e2d.swim.messages import Alive, PeerAddress, Versions
from e2d.swim.packets import Framing
from e2d.swim.sealing import Keyring

KILLS = 7
SECONDS = 30.0
"""Defaults of what can be chosen. Exchanges of states are 30 s apart, so that only a
multiple of that has as many of them on both sides."""

ROUNDS = 15
ROUND_SECONDS = 0.05
PACKET_BYTES = 1400
KEYRING = Keyring((bytes(range(32)),))

FRAMINGS = {
    "plain": Framing(compression=False),
    "AES-256": Framing(compression=False, keyring=KEYRING),
    "LZW": Framing(compression=True),
}
"""What is measured. Each has a checksum, as gossip has."""


def claim(number: int) -> Alive:
    """What a peer of a ring of many says of itself."""
    host = bytes([10, 0, number // 250, 1 + number % 250])
    url = "http://{}.{}.{}.{}:2379".format(*host)
    return Alive(
        incarnation=1000 + number,
        node=b"node-%03d" % number,
        address=PeerAddress(host, 7946),
        meta=f"{number:016x} {url} running 3.5.16".encode(),
        versions=Versions(protocol_min=1, protocol_max=5, protocol=2),
    )


def claims() -> list[Alive]:
    """As many as go into a packet."""
    found: list[Alive] = []
    room = PACKET_BYTES
    while (room := room - 2 - len(wire.encode(claim(len(found))))) >= 0:
        found.append(claim(len(found)))
    return found


CLAIMS = claims()
ENCODED = [wire.encode(each) for each in CLAIMS]
STRUCTURES = [read_fields(each[1:], ()) for each in ENCODED]


def measured(works: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """
    How long each takes.

    :return: seconds of processor time, of the fastest round.
    """
    best = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            count, start = 0, time.process_time()
            while (spent := time.process_time() - start) < ROUND_SECONDS:
                for _ in range(20):
                    work()
                count += 20
            best[name] = min(best[name], spent / count)
    return best


def encode(framing: Framing) -> bytes:
    """A packet of all claims."""
    parts = [wire.encode(each) for each in CLAIMS]
    return packets.pack(parts, framing, checksum=True, nonce=os.urandom)


@frozen(kw_only=True)
class Layers:
    """
    What there is to do for a packet, layer by layer, in one direction.

    :param whole: by the name of the framing.
    :param alone: by the name of the layer.
    """

    whole: dict[str, Callable[[], object]]
    alone: dict[str, Callable[[], object]]


def encoding() -> Layers:
    """From messages to packets."""
    compound = encode(FRAMINGS["plain"])[5:]
    return Layers(
        whole={name: partial(encode, framing) for name, framing in FRAMINGS.items()},
        alone={
            "msgpack": lambda: [pack_fields(each) for each in STRUCTURES],
            "crc": lambda: crc32(compound),
            "seal": lambda: KEYRING.seal(
                compound, version=1, associated=b"", nonce=os.urandom
            ),
            "compress": lambda: lzw.compress(compound),
        },
    )


def decoding() -> Layers:
    """From packets to messages."""
    compound = encode(FRAMINGS["plain"])[5:]
    sealed = KEYRING.seal(compound, version=1, associated=b"", nonce=os.urandom)
    compressed = lzw.compress(compound)
    return Layers(
        whole={
            name: partial(packets.unpack, encode(framing), framing)
            for name, framing in FRAMINGS.items()
        },
        alone={
            "msgpack": lambda: [read_fields(each[1:], ()) for each in ENCODED],
            "crc": lambda: crc32(compound),
            "seal": lambda: KEYRING.open(sealed, b""),
            "compress": lambda: lzw.decompress(compressed, 1 << 16),
        },
    )


USED = {
    "plain": ("msgpack", "crc"),
    "AES-256": ("msgpack", "crc", "seal"),
    "LZW": ("msgpack", "crc", "compress"),
}
"""The layers of each framing."""


def codec() -> dict[str, object]:
    """Part (a): encode and decode."""
    size = len(encode(FRAMINGS["plain"]))
    print(f"codec: {len(CLAIMS)} messages in a packet of {size} bytes")
    result: dict[str, object] = {"messages": len(CLAIMS), "packet_bytes": size}
    for direction, layers in (("encode", encoding()), ("decode", decoding())):
        seconds = measured(layers.whole | layers.alone)
        result[direction] = {
            name: _line(direction, name, seconds) for name in layers.whole
        }
    return result


def _line(direction: str, name: str, seconds: dict[str, float]) -> dict[str, float]:
    rate = len(CLAIMS) / seconds[name]
    shares = {layer: seconds[layer] / seconds[name] for layer in USED[name]}
    of_msgpack = seconds[name] / seconds["msgpack"]
    told = ", ".join(f"{layer} {100 * share:.0f} %" for layer, share in shares.items())
    print(
        f"{direction} {name:8} {rate:9,.0f} messages/s, {of_msgpack:5.2f} times"
        f" MessagePack alone, {seconds[name] / seconds['plain']:5.2f} times plain;"
        f" {told}, the rest {100 * (1 - sum(shares.values())):.0f} %"
    )
    return {
        "messages_per_second": round(rate),
        "ratio_to_msgpack": round(of_msgpack, 2),
        **{f"share_{layer}": round(share, 3) for layer, share in shares.items()},
    }


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, object]]] = {
    "codec": lambda _: codec(),
    "detection": lambda given: detection(given.memberlist, given.kills),
    "idle": lambda given: idle(given.memberlist, given.seconds),
    "wire": lambda given: sent(given.memberlist, given.seconds),
}


def measure(name: str, given: argparse.Namespace) -> dict[str, object] | None:
    """
    One part.

    :return: None where it cannot be measured here.
    """
    try:
        return PARTS[name](given)
    except Unmeasured as reason:
        print(f"{name}: not measured: {reason}")
        return None


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="What gossip costs.")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this")
    parser.add_argument("--memberlist", choices=GO_LINES, default=GO_LINES[0])
    parser.add_argument("--kills", type=int, default=KILLS, help="in each ring")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of idleness")
    given = parser.parse_args()
    results = {name: measure(name, given) for name in given.part or PARTS}
    print(json.dumps({"benchmark": "gossip", **results}))


if __name__ == "__main__":
    main()
