"""
LZW as Go's ``compress/lzw`` has it: least significant bit first, literals of 8 bits.

The codes 0 to 255 are literals, 256 clears the table, 257 is the end. Each code after a
clear but the first adds an entry, numbered from 258 on. Codes have 9 bits, and one more
as soon as the number of the entry after the newest would not fit: GIF's rule, not
TIFF's. Go clears a table as soon as only the last of its 4096 places is left.

Note [Speed]: the loops over codes and bytes are written out, since a call in them would
cost as much as their work. Each code costs about the same whatever it is, some 0.3 us:
nothing that is sent takes longer than its length tells.
"""

from __future__ import annotations

from e2d.swim.errors import Fault, WireError

__all__ = ["compress", "decompress"]

_CLEAR = 256
_END = 257
_LEAST_WIDTH = 9
_LEAST_MASK = (1 << _LEAST_WIDTH) - 1
_MOST_WIDTH = 12
_PLACES = 1 << _MOST_WIDTH
_FULL = _PLACES - 1
"""Go clears the table instead of giving this number to an entry."""

_FRESH = (*(bytes([byte]) for byte in range(256)), b"", b"")
"""The table after a clear. The clear and the end stand for nothing."""

_WIDTHS = tuple(max(_LEAST_WIDTH, newest.bit_length()) for newest in range(_PLACES))
"""How wide the next code is that Go writes, by the number of the newest entry."""

_FLUSH_BITS = 64
_FLUSH_MASK = (1 << _FLUSH_BITS) - 1
_CHUNK_BYTES = 7


def compress(plain: bytes) -> bytes:
    """Compress, to the very bytes that Go would write."""
    packed = bytearray()
    bits, held = _CLEAR, _LEAST_WIDTH
    table: dict[int, int] = {}
    newest, width = _END, _LEAST_WIDTH
    rest = iter(plain)
    current = next(rest, _END)
    for byte in rest:
        key = current << 8 | byte
        longer = table.get(key)
        if longer is not None:
            current = longer
            continue
        bits |= current << held
        held += width
        current = byte
        newest += 1
        if newest < _FULL:
            table[key] = newest
        else:
            bits |= _CLEAR << held
            held += _MOST_WIDTH
            table.clear()
            newest = _END
        width = _WIDTHS[newest]
        if held >= _FLUSH_BITS:
            packed += (bits & _FLUSH_MASK).to_bytes(_FLUSH_BITS // 8, "little")
            bits >>= _FLUSH_BITS
            held -= _FLUSH_BITS
    return bytes(packed) + _ending(bits, held, newest, current)


def _ending(bits: int, held: int, newest: int, current: int) -> bytes:
    """
    The last bytes, with the codes that were not written yet, and the end.

    :param current: the code for the last bytes; the end itself if there are none.
    """
    codes = [current]
    if current != _END:
        codes += [_CLEAR, _END] if newest + 1 == _FULL else [_END]
    for code in codes:
        bits |= code << held
        held += _WIDTHS[newest]
        newest = _END if newest + 1 > _FULL else newest + 1
    return bits.to_bytes((held + 7) // 8, "little")


def decompress(packed: bytes, most_bytes: int) -> bytes:
    """
    Decompress; what follows the end is ignored.

    :param most_bytes: that may come out.
    :raises WireError: more would come out, the end is missing, or a code means nothing.
    """
    plain = bytearray()
    table = [*_FRESH]
    add = table.append
    size, width, mask = len(_FRESH), _LEAST_WIDTH, _LEAST_MASK
    previous = b""
    bits = held = place = 0
    while True:
        while held < width:
            chunk = _chunk(packed, place, most_bytes - len(plain))
            place += _CHUNK_BYTES
            bits |= int.from_bytes(chunk, "little") << held
            held += 8 * len(chunk)
        code = bits & mask
        bits >>= width
        held -= width
        try:
            current = table[code]
        except IndexError:
            current = _newest(code - size, previous)
        if current:
            plain += current
            if previous:
                add(previous + current[:1])
                size += 1
                if size > mask and width < _MOST_WIDTH:
                    width += 1
                    mask = (1 << width) - 1
            previous = current if size < _PLACES else b""
        elif code == _END:
            break
        else:
            del table[len(_FRESH) :]
            size, width, mask = len(_FRESH), _LEAST_WIDTH, _LEAST_MASK
            previous = b""
    _check_room(most_bytes - len(plain))
    return bytes(plain)


def _newest(ahead: int, previous: bytes) -> bytes:
    """
    What a code stands for that its own entry, which it completes, is for.

    :param ahead: how many entries are missing before the code's.
    """
    if ahead or not previous:
        raise WireError(Fault.COMPRESSION, "a code that means nothing")
    return previous + previous[:1]


def _chunk(packed: bytes, place: int, room: int) -> bytes:
    """The next few bytes, if there are any, and room for what they mean."""
    _check_room(room)
    chunk = packed[place : place + _CHUNK_BYTES]
    if not chunk:
        raise WireError(Fault.COMPRESSION, "compressed data without its end")
    return chunk


def _check_room(room: int) -> None:
    if room < 0:
        raise WireError(Fault.LIMIT, "more comes out of compression than is accepted")
