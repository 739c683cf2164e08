"""Writes Go's ``gob``: one structure in a stream of its own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import frozen

from e2d.gossip.gob import Kind

__all__ = ["Field", "Structure", "encode"]

_NUMBER_BYTES = 8
_ONE_BYTE = 0x80


class Field(Enum):
    """What a field of a structure that is written may be."""

    INT = Kind.INT
    UINT = Kind.UINT
    BYTES = Kind.BYTES
    STRING = Kind.STRING
    STRINGS = "[]string"


@frozen(kw_only=True)
class Structure:
    """
    A type of structure to write.

    :ivar name: Go's name of it, without its package.
    :ivar identifier: its number; Go gives them out from 64 on, as types come into use.
        That of a list of strings is the next one.
    :ivar fields: their names and what they are, in the order of Go's declaration.
    """

    name: str
    identifier: int
    fields: tuple[tuple[str, Field], ...]


def encode(structure: Structure, values: Mapping[str, object]) -> bytes:
    """
    Write a stream with one structure, byte for byte as Go does.

    :param values: by the names of fields, as they are read again; what is absent, 0 or
        empty is not written.
    """
    assert values.keys() <= dict(structure.fields).keys()
    messages = [_structure_definition(structure)]
    if any(kind is Field.STRINGS for _, kind in structure.fields):
        messages.append(_strings_definition(structure.identifier + 1))
    fields = [
        _written(kind, values[name]) if values.get(name) else b""
        for name, kind in structure.fields
    ]
    messages.append(_signed(structure.identifier) + _fields(*fields))
    return b"".join(_octets(message) for message in messages)


def _structure_definition(structure: Structure) -> bytes:
    fields = [
        _named(name, _identifier(structure, kind)) for name, kind in structure.fields
    ]
    listed = _unsigned(len(fields)) + b"".join(fields) if fields else b""
    definition = _fields(_named(structure.name, structure.identifier), listed)
    return _signed(-structure.identifier) + _fields(b"", b"", definition)


def _strings_definition(identifier: int) -> bytes:
    definition = _fields(_named("[]string", identifier), _signed(Kind.STRING))
    return _signed(-identifier) + _fields(b"", definition)


def _named(name: str, identifier: int) -> bytes:
    return _fields(_text(name) if name else b"", _signed(identifier))


def _identifier(structure: Structure, kind: Field) -> int:
    return structure.identifier + 1 if kind is Field.STRINGS else Kind(kind.value)


def _written(kind: Field, value: object) -> bytes:
    match kind, value:
        case Field.INT, int():
            return _signed(value)
        case Field.UINT, int():
            return _unsigned(value)
        case Field.BYTES, bytes():
            return _octets(value)
        case Field.STRING, str():
            return _text(value)
        case Field.STRINGS, list():
            return _unsigned(len(value)) + b"".join(_text(each) for each in value)
        case _:
            raise AssertionError(f"{type(value).__name__} for a field that is {kind}")


def _fields(*written: bytes) -> bytes:
    """A structure: each field that is not zero after its distance, and an end."""
    parts, before = [], -1
    for index, each in enumerate(written):
        if each:
            parts += [_unsigned(index - before), each]
            before = index
    return b"".join((*parts, b"\0"))


def _unsigned(number: int) -> bytes:
    if number < _ONE_BYTE:
        return bytes([number])
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    assert len(octets) <= _NUMBER_BYTES
    return bytes([0x100 - len(octets)]) + octets


def _signed(number: int) -> bytes:
    return _unsigned(~number << 1 | 1 if number < 0 else number << 1)


def _octets(octets: bytes) -> bytes:
    return _unsigned(len(octets)) + octets


def _text(text: str) -> bytes:
    return _octets(text.encode("utf-8", "surrogateescape"))
