"""
Go's encoding/gob reads what we write, and we read what it writes.

Needs Go to build ``tests/integration/gob``; it uses the standard library only.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.errors import PayloadError
from e2d.gossip.gob import decode
from e2d.gossip.gob_writing import Field, Structure, encode
from e2d.gossip.originals import (
    OriginalMember,
    OriginalStatus,
    StatusMessage,
    decode_member,
    decode_status,
    encode_member,
    encode_status,
)
from tests.integration.environments import workshop

_GO = shutil.which("go")
_SOURCE = Path(__file__).parent / "gob" / "main.go"
_SECONDS = 120.0
_LONG = bool(os.environ.get("E2D_LONG"))
_RANDOM = 20_000 if _LONG else 500


@cache
def _program() -> Path:
    """The Go program, built once."""
    assert _GO is not None
    built = workshop() / "gob"
    subprocess.run(
        [_GO, "build", "-o", built, _SOURCE],
        env={**os.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local"},
        check=True,
        timeout=_SECONDS,
    )
    return built


def ask(requests: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    """What the Go program answers to each."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(
        [_program()],
        input=lines,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def same(shown: object, read: object) -> bool:
    """Whether what Go shows of a value is what we read; None: it was left out."""
    match shown:
        case {"s": fields}:
            return isinstance(read, Mapping) and all(
                same(value, read.get(name)) for name, value in fields.items()
            )
        case {"b": octets}:
            return bytes.fromhex(octets) == (read or b"")
        case {"c": [real, imaginary]}:
            return complex(real, imaginary) == (read or 0)
        case {"m": pairs}:
            return _same_length(pairs, read) and _same_in_any_order(pairs, read or ())
        case [*items]:
            return _same_length(items, read) and all(map(same, items, read or ()))
        case _:
            # Go's JSON shows whole floats without a point.
            kinds = isinstance(shown, bool), isinstance(read, bool)
            return not (shown or read) or (kinds[0] == kinds[1] and shown == read)


def _same_in_any_order(pairs: Iterable[object], read: Iterable[object]) -> bool:
    return all(any(same(pair, list(other)) for other in read) for pair in pairs)


def _same_length(items: Sequence[object], read: object) -> bool:
    return len(items) == len(read) if isinstance(read, list) else not items


class GobTests(SynchronousTestCase):
    """Both ways, with Go."""

    if _GO is None:
        skip = "no go on PATH: put one there"

    def test_random_structures_of_go(self) -> None:
        """Structures of any types nested in each other are read as Go wrote them."""
        answers = ask({"do": "random", "seed": seed} for seed in range(_RANDOM))
        self.assertEqual(_RANDOM, len(answers))
        for seed, answer in enumerate(answers):
            read = decode(bytes.fromhex(str(answer["hex"])))
            self.assertTrue(same(answer["value"], read), f"seed {seed}: {answer}")

    def test_random_structures_of_ours(self) -> None:
        """Go reads structures that we wrote, of every kind of field that we write."""
        random = Random(1)
        requests, expected = [], []
        for _ in range(_RANDOM):
            structure, values = _random_structure(random)
            written = encode(structure, values)
            fields = [[name, kind.name] for name, kind in structure.fields]
            requests.append({"do": "decode as", "fields": fields, "hex": written.hex()})
            expected.append(values)
            self.assertEqual(_without_zeros(values), decode(written))
        for values, answer in zip(expected, ask(requests), strict=True):
            self.assertTrue(same(answer.get("value"), values), f"{answer} {values}")

    def test_what_types_write_by_themselves(self) -> None:
        """A value whose type has its own format is bytes, and the rest is read."""
        (answer,) = ask([{"do": "time", "seed": 1_600_000_000}])
        read = decode(bytes.fromhex(str(answer["hex"])))
        self.assertTrue(same(answer["value"], read), answer)
        self.assertEqual("after", read["After"])

    def test_interfaces(self) -> None:
        """A value of an interface is refused."""
        (answer,) = ask([{"do": "interface", "seed": 5}])
        self.assertRaises(PayloadError, decode, bytes.fromhex(str(answer["hex"])))


def _random_structure(random: Random) -> tuple[Structure, dict[str, object]]:
    kinds = [random.choice(list(Field)) for _ in range(random.randrange(1, 9))]
    fields = tuple((f"F{index}", kind) for index, kind in enumerate(kinds))
    structure = Structure(
        name=random.choice(["", "Member", "x" * 300]),
        identifier=random.choice([64, 65, 127, 128, 40000]),
        fields=fields,
    )
    return structure, {name: _random_value(random, kind) for name, kind in fields}


def _random_value(random: Random, kind: Field) -> object:
    match kind:
        case Field.INT:
            return random.randrange(-(1 << 63), 1 << 63) >> random.randrange(64)
        case Field.UINT:
            return random.randrange(1 << 64) >> random.randrange(64)
        case Field.BYTES:
            return random.randbytes(random.choice([0, 1, 127, 128, 300]))
        case Field.STRING:
            return _random_text(random)
        case Field.STRINGS:
            return [_random_text(random) for _ in range(random.randrange(4))]


def _random_text(random: Random) -> str:
    return "".join(random.choices("aZ0 ./:äß€𝄞", k=random.choice([0, 1, 20, 150])))


def _without_zeros(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value}


class OriginalTests(SynchronousTestCase):
    """The original's own structures, through Go's package."""

    if _GO is None:
        skip = "no go on PATH: put one there"

    def test_members_of_ours(self) -> None:
        """Go reads metadata with each field filled or not, and each status."""
        members = list(_members())
        answers = ask(
            {"do": "decode member", "hex": encode_member(member).hex()}
            for member in members
        )
        self.assertEqual(768, len(answers))
        for member, answer in zip(members, answers, strict=True):
            self.assertEqual({"s": _go_member(member)}, answer.get("value"), answer)

    def test_members_of_go(self) -> None:
        """Metadata that Go wrote is read, with each field filled or not."""
        members = list(_members())
        answers = ask(
            {"do": "encode member", "value": _go_member(member)} for member in members
        )
        for member, answer in zip(members, answers, strict=True):
            self.assertEqual(member, decode_member(bytes.fromhex(str(answer["hex"]))))

    def test_statuses_of_ours(self) -> None:
        """Go reads each status, with and without a name."""
        messages = list(_messages())
        answers = ask(
            {"do": "decode status", "hex": encode_status(message).hex()}
            for message in messages
        )
        self.assertEqual(6, len(answers))
        for message, answer in zip(messages, answers, strict=True):
            self.assertEqual({"s": _go_status(message)}, answer.get("value"), answer)

    def test_statuses_of_go(self) -> None:
        """Each status that Go wrote is read."""
        messages = list(_messages())
        answers = ask(
            {"do": "encode status", "value": _go_status(message)}
            for message in messages
        )
        for message, answer in zip(messages, answers, strict=True):
            self.assertEqual(message, decode_status(bytes.fromhex(str(answer["hex"]))))

    def test_what_is_ours_alone(self) -> None:
        """Go passes over the field in which ours tell each other more."""
        member = OriginalMember(name="n1", status=OriginalStatus.RUNNING)
        message = StatusMessage(name="n1", status=OriginalStatus.PENDING)
        extra = bytes(range(256))
        with_extra = OriginalMember(name="n1", status=member.status, extra=extra)
        spoken = StatusMessage(name="n1", status=message.status, extra=extra)
        answers = ask(
            [
                {"do": "decode member", "hex": encode_member(with_extra).hex()},
                {"do": "decode status", "hex": encode_status(spoken).hex()},
            ]
        )
        self.assertEqual(
            [{"s": _go_member(member)}, {"s": _go_status(message)}],
            [answer.get("value") for answer in answers],
        )


def _members() -> Iterable[OriginalMember]:
    """Every combination of fields that are filled, and of statuses."""
    for filled in product([False, True], repeat=8):
        given = dict(zip(_FILLED, filled, strict=True))
        values = {name: _FILLED[name] for name, there in given.items() if there}
        for status in OriginalStatus:
            yield OriginalMember(**values, status=status)  # type: ignore[arg-type]


_FILLED: dict[str, object] = {
    "id": (1 << 64) - 1,
    "name": "4AC19DC79A53A206",
    "client_addr": "0.0.0.0:2379",
    "client_url": "https://10.0.0.1:2379",
    "peer_addr": "[2001:db8::1]:2380",
    "peer_url": "https://n1.example.com:2380",
    "gossip_addr": "10.0.0.1:7980",
    "bootstrap_addrs": ("10.0.0.2:7980", "", "10.0.0.3:7980"),
}


def _messages() -> Iterable[StatusMessage]:
    for name, status in product(["", "28063909E0D3063D"], OriginalStatus):
        yield StatusMessage(name=name, status=status)


def _go_member(member: OriginalMember) -> dict[str, object]:
    return {
        "ID": member.id,
        "Name": member.name,
        "ClientAddr": member.client_addr,
        "ClientURL": member.client_url,
        "PeerAddr": member.peer_addr,
        "PeerURL": member.peer_url,
        "GossipAddr": member.gossip_addr,
        "BootstrapAddrs": list(member.bootstrap_addrs),
        "Status": member.status.value,
    }


def _go_status(message: StatusMessage) -> dict[str, object]:
    return {"Name": message.name, "Status": message.status.value}
