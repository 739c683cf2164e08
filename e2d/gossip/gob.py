"""
Reads Go's ``gob``: one structure in a stream of its own.

The format is that of Go's package ``encoding/gob``. A stream is a row of messages, each
after its length: definitions of types, whose ids are negative there, and then a value.
A structure is a row of the fields that are not zero, each after its distance from the
one before.

Note [What a stream may do]
    Whoever is in the ring decides what is in it. Every value takes a byte at least, and
    room is made for it when it was read: a list that claims more items than there are
    ends where the stream does. Types may refer to each other and to themselves: values
    nest up to a limit. A value of an interface brings definitions of its own along;
    nothing that is read here has any, and it is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum

from attrs import define, field, frozen

from e2d.gossip.errors import PayloadError

__all__ = ["MAXIMUM_BYTES", "Kind", "decode"]

MAXIMUM_BYTES = 32 * 1024
"""What the original sends has some 300 bytes; ours carries a report besides."""

_MAXIMUM_TYPES = 64
_MAXIMUM_FIELDS = 64
_MAXIMUM_DEPTH = 16
"""Types, fields of one, and values in values: the original has 2, 9 and 2."""

_NUMBER_BYTES = 8
_ONE_BYTE = 0x80


class Kind(IntEnum):
    """The types that need no definition, by gob's numbers of them."""

    BOOL = 1
    INT = 2
    UINT = 3
    FLOAT = 4
    BYTES = 5
    STRING = 6
    COMPLEX = 7
    INTERFACE = 8


@frozen
class _List:
    """A slice, or an array where its length is part of the type."""

    item: int
    length: int | None = None


@frozen
class _Map:
    key: int
    value: int


@frozen
class _Struct:
    fields: tuple[tuple[str, int], ...]


@frozen
class _Opaque:
    """What a type of Go's writes by itself, such as a time: bytes."""


_Type = Kind | _List | _Map | _Struct | _Opaque

# Definitions are values themselves, of types that need no definition.
_WIRE_TYPE, _ARRAY, _COMMON, _SLICE, _STRUCT, _FIELD, _FIELDS, _MAP, _OPAQUE = range(
    16, 25
)
_BASIC: dict[int, _Type] = {
    **{kind.value: kind for kind in Kind},
    _WIRE_TYPE: _Struct(
        (
            ("ArrayT", _ARRAY),
            ("SliceT", _SLICE),
            ("StructT", _STRUCT),
            ("MapT", _MAP),
            ("GobEncoderT", _OPAQUE),
            ("BinaryMarshalerT", _OPAQUE),
            ("TextMarshalerT", _OPAQUE),
        )
    ),
    _ARRAY: _Struct(
        (("CommonType", _COMMON), ("Elem", Kind.INT), ("Len", Kind.INT)),
    ),
    _COMMON: _Struct((("Name", Kind.STRING), ("Id", Kind.INT))),
    _SLICE: _Struct((("CommonType", _COMMON), ("Elem", Kind.INT))),
    _STRUCT: _Struct((("CommonType", _COMMON), ("Field", _FIELDS))),
    _FIELD: _Struct((("Name", Kind.STRING), ("Id", Kind.INT))),
    _FIELDS: _List(_FIELD),
    _MAP: _Struct((("CommonType", _COMMON), ("Key", Kind.INT), ("Elem", Kind.INT))),
    _OPAQUE: _Struct((("CommonType", _COMMON),)),
}


def decode(data: bytes) -> Mapping[str, object]:
    """
    Read the structure in a stream.

    :return: its fields by name, without those that are zero. Numbers, booleans and
        bytes are themselves; strings are text, bytes that are not UTF-8 as surrogates;
        lists are lists, maps lists of pairs, structures mappings like this one.
    :raises PayloadError: there is no structure in it, or more than one value.
    """
    if len(data) > MAXIMUM_BYTES:
        raise PayloadError(f"a gob of more than {MAXIMUM_BYTES} bytes")
    stream = _Cursor(data)
    values = _Values()
    while True:
        message = _Cursor(stream.octets())
        identifier = message.signed()
        if identifier >= 0:
            break
        values.define(-identifier, message)
    found = values.read_structure(identifier, message)
    if message.remaining or stream.remaining:
        raise PayloadError("a gob with more than a value")
    return found


@define(eq=False)
class _Cursor:
    """Reads bytes, numbers and lengths in their order."""

    _data: bytes
    _position: int = field(default=0, init=False)

    @property
    def remaining(self) -> int:
        return len(self._data) - self._position

    def take(self, count: int) -> bytes:
        if count > self.remaining:
            raise PayloadError("a gob that is cut off")
        start = self._position
        self._position += count
        return self._data[start : self._position]

    def unsigned(self) -> int:
        """One byte below 128, or the number of bytes that follow, negated."""
        first = self.take(1)[0]
        if first < _ONE_BYTE:
            return first
        count = 0x100 - first
        if count > _NUMBER_BYTES:
            raise PayloadError("a gob with a number of more than 64 bits")
        return int.from_bytes(self.take(count), "big")

    def signed(self) -> int:
        """The sign is the last bit, and a negative number's bits are inverted."""
        number = self.unsigned()
        return ~(number >> 1) if number & 1 else number >> 1

    def real(self) -> float:
        """A double's bytes in reverse, so that round numbers are short."""
        octets = self.unsigned().to_bytes(_NUMBER_BYTES, "little")
        (number,) = struct.unpack(">d", octets)
        assert isinstance(number, float)
        return number

    def octets(self) -> bytes:
        return self.take(self.unsigned())


@define(eq=False)
class _Values:
    """Reads values of the types that were defined so far."""

    _types: dict[int, _Type] = field(factory=lambda: dict(_BASIC), init=False)
    _depth: int = field(default=0, init=False)

    def define(self, identifier: int, message: _Cursor) -> None:
        """Read one definition."""
        if identifier in self._types:
            raise PayloadError("a gob that defines a type twice")
        if len(self._types) >= len(_BASIC) + _MAXIMUM_TYPES:
            raise PayloadError("a gob with too many types")
        definition = self.read_structure(_WIRE_TYPE, message)
        if message.remaining:
            raise PayloadError("a gob with more than a definition in one")
        self._types[identifier] = _defined(definition)

    def read_structure(self, identifier: int, cursor: _Cursor) -> Mapping[str, object]:
        """Read a value that must be a structure."""
        kind = self._types.get(identifier)
        if not isinstance(kind, _Struct):
            raise PayloadError("a gob, but not of a structure")
        return self._structure(kind, cursor)

    def _value(self, identifier: int, cursor: _Cursor) -> object:
        kind = self._types.get(identifier)
        if kind is None:
            raise PayloadError("a gob of a type that it does not define")
        if isinstance(kind, Kind):
            reader = _READERS.get(kind)
            if reader is None:
                raise PayloadError("a gob with a value of an interface")
            return reader(cursor)
        if isinstance(kind, _Opaque):
            return cursor.octets()
        if self._depth >= _MAXIMUM_DEPTH:
            raise PayloadError("a gob that nests too deeply")
        self._depth += 1
        value = self._composite(kind, cursor)
        self._depth -= 1
        return value

    def _composite(self, kind: _List | _Map | _Struct, cursor: _Cursor) -> object:
        match kind:
            case _List(item, length):
                count = cursor.unsigned()
                if length is not None and count != length:
                    raise PayloadError("a gob with an array of another length")
                return [self._value(item, cursor) for _ in range(count)]
            case _Map(key, value):
                return [
                    (self._value(key, cursor), self._value(value, cursor))
                    for _ in range(cursor.unsigned())
                ]
            case _Struct():
                return self._structure(kind, cursor)

    def _structure(self, kind: _Struct, cursor: _Cursor) -> Mapping[str, object]:
        found: dict[str, object] = {}
        index = -1
        while distance := cursor.unsigned():
            index += distance
            if index >= len(kind.fields):
                raise PayloadError("a gob with a field that its type has not")
            name, identifier = kind.fields[index]
            found[name] = self._value(identifier, cursor)
        return found


_READERS: dict[Kind, Callable[[_Cursor], object]] = {
    Kind.BOOL: lambda cursor: cursor.unsigned() != 0,
    Kind.INT: _Cursor.signed,
    Kind.UINT: _Cursor.unsigned,
    Kind.FLOAT: _Cursor.real,
    Kind.BYTES: _Cursor.octets,
    Kind.STRING: lambda cursor: cursor.octets().decode("utf-8", "surrogateescape"),
    Kind.COMPLEX: lambda cursor: complex(cursor.real(), cursor.real()),
}


def _defined(definition: Mapping[str, object]) -> _Type:
    """The type that a definition is of; what it lacks is 0."""
    for name, kind in definition.items():
        assert isinstance(kind, Mapping)
        match name:
            case "ArrayT":
                return _List(kind.get("Elem", 0), kind.get("Len", 0))
            case "SliceT":
                return _List(kind.get("Elem", 0))
            case "MapT":
                return _Map(kind.get("Key", 0), kind.get("Elem", 0))
            case "StructT":
                return _defined_structure(kind.get("Field", []))
            case _:
                return _Opaque()
    raise PayloadError("a gob with a definition of nothing")


def _defined_structure(fields: Sequence[Mapping[str, object]]) -> _Struct:
    if len(fields) > _MAXIMUM_FIELDS:
        raise PayloadError("a gob with too many fields")
    pairs = []
    for each in fields:
        name, identifier = each.get("Name", ""), each.get("Id", 0)
        assert isinstance(name, str)
        assert isinstance(identifier, int)
        pairs.append((name, identifier))
    return _Struct(tuple(pairs))
