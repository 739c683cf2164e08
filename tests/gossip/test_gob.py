"""Go's gob, read and written. Go itself has its say in the integration tests."""

from __future__ import annotations

from collections.abc import Mapping
from time import process_time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.errors import PayloadError
from e2d.gossip.gob import MAXIMUM_BYTES, decode
from e2d.gossip.gob_writing import Field, Structure, encode
from tests.gossip.samples import seen

# Written by Go: struct {A int}{1}, and one with a field of every kind.
_A_IS_1 = "12ff8f030102ff90000101010141010400000005ff90010200"
_EVERY_KIND = (
    "7b7f03010103416c6c01ff8000010b010359657301020001034c6f77010400010448696768010600"
    "01045265616c0108000107436f6d706c6578010e0001064f6374657473010a00010454657874010c"
    "000105546578747301ff820001045061697201ff840001034d617001ff86000105496e6e657201ff"
    "8800000016ff81020101085b5d737472696e6701ff8200010c000016ff83010101065b325d696e74"
    "01ff84000104010400001cff850401010c6d61705b696e745d626f6f6c01ff860001040102000020"
    "ff8703010105496e6e657201ff8800010201014101040001014201ff8a0000001bff890201010c5b"
    "5d6d61696e2e496e6e657201ff8a0001ff8800003eff80010101fe010101f8ffffffffffffffff01"
    "fdf044c001fee03fffc0010200ff010361ff62010201780001020e00010106010101020102010400"
    "000000"
)
# type Deep struct {In []Deep; N int}, sixteen of them in each other.
_DEEP_TYPE = (
    "20ff8b030101044465657001ff8c0001020102496e01ff8e0001014e01040000001aff8d0201010b"
    "5b5d6d61696e2e4465657001ff8e0001ff8c0000"
)


def _deep(levels: int) -> str:
    """Levels of lists in structures, a number in the last."""
    value = "ff8c" + "0101" * levels + "0202" + "00" * (levels + 1)
    return _DEEP_TYPE + f"{len(value) // 2:02x}" + value


def _read(text: str) -> Mapping[str, object]:
    return decode(bytes.fromhex(text))


class DecodeTests(SynchronousTestCase):
    """What is read."""

    def test_small(self) -> None:
        """A structure is its fields by name."""
        self.assertEqual({"A": 1}, _read(_A_IS_1))

    def test_every_kind(self) -> None:
        """Values of each kind are read; what is zero within a list stays in it."""
        self.assertEqual(
            {
                "Yes": True,
                "Low": -129,
                "High": (1 << 64) - 1,
                "Real": -41.875,
                "Complex": 0.5 - 2j,
                "Octets": b"\x00\xff",
                "Text": "a\udcffb",
                "Texts": ["x", ""],
                "Pair": [7, 0],
                "Map": [(3, True)],
                "Inner": {"A": 1, "B": [{"A": 2}, {}]},
            },
            _read(_EVERY_KIND),
        )

    def test_original(self) -> None:
        """The original's metadata is what it says; what is zero is not there."""
        self.assertEqual(
            {
                "Name": "4AC19DC79A53A206",
                "ClientURL": "http://127.0.0.82:2820",
                "PeerURL": "http://127.0.0.82:2380",
                "GossipAddr": "127.0.0.82:7980",
                "Status": 2,
            },
            _read(str(seen("member")[3]["hex"])),
        )
        self.assertEqual(
            {"Name": "4AC19DC79A53A206"}, _read(str(seen("statusMsg")[0]["hex"]))
        )


class RefusalTests(SynchronousTestCase):
    """What is not read, and why."""

    def refused(self, text: str, why: str) -> None:
        """Check the reason why a stream is refused."""
        error = self.assertRaises(PayloadError, decode, bytes.fromhex(text))
        self.assertEqual(why, error.reason)

    def test_cut_off(self) -> None:
        """Every beginning of a stream is refused as that, and nothing is made of it."""
        whole = bytes.fromhex(_A_IS_1)
        for length in range(len(whole)):
            self.refused(whole[:length].hex(), "a gob that is cut off")

    def test_more_than_a_value(self) -> None:
        """Nothing may follow the value, in its message or after it."""
        self.refused(_A_IS_1 + "00", "a gob with more than a value")
        longer = _A_IS_1.replace("05ff90010200", "06ff9001020000")
        self.refused(longer, "a gob with more than a value")

    def test_not_a_structure(self) -> None:
        """A bare number is not a structure, nor is a type that nobody defined."""
        self.refused("0304000a", "a gob, but not of a structure")
        self.refused("03ff9000", "a gob, but not of a structure")

    def test_huge_lengths(self) -> None:
        """A length beyond the end is refused before anything is made room for."""
        huge = "f87fffffffffffffff"
        self.refused(huge + "00", "a gob that is cut off")
        members = str(seen("member")[3]["hex"])
        name = "0210" + "344143313944433739413533413230"
        self.assertIn(name, members)
        self.refused(members.replace(name, "02f81fffffff" + name[12:]), _CUT_OFF)

    def test_many_items(self) -> None:
        """A list that claims more items than there are is cut off where they end."""
        self.assertEqual(_DEEP_TYPE + "08ff8c010102020000", _deep(1))
        many = "10ff8c01f87fffffffffffffff02020000"
        self.refused(_DEEP_TYPE + many, _CUT_OFF)

    def test_number_too_large(self) -> None:
        """A number has eight bytes at most."""
        self.refused("f7" + "00" * 9, "a gob with a number of more than 64 bits")

    def test_unknown_field(self) -> None:
        """A field beyond the last one of its type is refused."""
        beyond = _A_IS_1.replace("05ff90010200", "05ff90020200")
        self.refused(beyond, "a gob with a field that its type has not")

    def test_undefined_type(self) -> None:
        """A field of a type that is not defined is refused when it is there."""
        undefined = _A_IS_1.replace("014101040000", "0141017e0000")
        self.refused(undefined, "a gob of a type that it does not define")

    def test_defined_twice(self) -> None:
        """A type is defined once, and gob's own are not defined anew."""
        definition = _A_IS_1[:38]
        self.refused(definition + _A_IS_1, "a gob that defines a type twice")
        own = definition.replace("12ff8f", "112d")
        self.refused(own, "a gob that defines a type twice")

    def test_long_definition(self) -> None:
        """Nothing may follow a definition in its message."""
        longer = _A_IS_1.replace("12ff8f", "13ff8f").replace("000000", "00000000", 1)
        self.refused(longer, "a gob with more than a definition in one")

    def test_other_array(self) -> None:
        """An array has the length of its type."""
        self.refused(
            _EVERY_KIND.replace("01020e00", "01010e").replace("3eff80", "3dff80"),
            "a gob with an array of another length",
        )

    def test_interface(self) -> None:
        """Values of interfaces are refused."""
        self.refused(
            "1c7f03010106686f6c64657201ff80000101010448656c6401100000000eff800105696e7436"
            "340402000a00",
            "a gob with a value of an interface",
        )

    def test_nesting(self) -> None:
        """Values nest sixteen deep and no deeper, whatever their types allow."""
        self.assertIn("In", _read(_deep(8)))
        self.refused(_deep(9), "a gob that nests too deeply")

    def test_many_types(self) -> None:
        """There are 64 types at most."""
        made = [
            encode(Structure(name="", identifier=1000 + each, fields=()), {})
            for each in range(65)
        ]
        definitions = b"".join(each[: each[0] + 1] for each in made)
        self.refused(definitions.hex(), "a gob with too many types")

    def test_many_fields(self) -> None:
        """A type has 64 fields at most."""
        fields = tuple((f"F{index}", Field.INT) for index in range(65))
        made = encode(Structure(name="", identifier=64, fields=fields), {})
        self.refused(made.hex(), "a gob with too many fields")

    def test_size(self) -> None:
        """A stream of more than 32 KiB is not looked at."""
        self.refused("00" * (MAXIMUM_BYTES + 1), "a gob of more than 32768 bytes")

    def test_what_the_largest_costs(self) -> None:
        """A stream as large as is allowed, all of it lists of nothing, costs little."""
        head = bytes.fromhex(_DEEP_TYPE)
        value = bytes.fromhex("ff8c01fd0077f0") + bytes(30_704)
        message = b"\xfe" + len(value).to_bytes(2, "big") + value
        before = process_time()
        self.assertRaises(PayloadError, decode, head + message)
        self.assertLess(process_time() - before, 1.0)


_CUT_OFF = "a gob that is cut off"


class AnyBytesTests(SynchronousTestCase):
    """Whatever is in the ring."""

    @settings(max_examples=500, deadline=None)
    @given(st.binary(max_size=300))
    @example(b"")
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are a structure, or refused with the one error that there is."""
        _decode_or_refuse(data)

    @settings(max_examples=500, deadline=None)
    @given(st.data())
    def test_damaged(self, data: st.DataObject) -> None:
        """So is what damage makes of real payloads."""
        samples = [_EVERY_KIND, _deep(4), str(seen("member")[3]["hex"])]
        whole = bytearray.fromhex(data.draw(st.sampled_from(samples)))
        for _ in range(data.draw(st.integers(1, 4))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(
                st.integers(0, 255)
            )
        _decode_or_refuse(bytes(whole))


def _decode_or_refuse(data: bytes) -> None:
    try:
        assert isinstance(decode(data), Mapping)
    except PayloadError:
        return


class EncodeTests(SynchronousTestCase):
    """What is written."""

    def test_small(self) -> None:
        """Bytes are Go's."""
        structure = Structure(name="", identifier=72, fields=(("A", Field.INT),))
        self.assertEqual(_A_IS_1, encode(structure, {"A": 1}).hex())

    def test_zeros(self) -> None:
        """What is zero, empty or not given is not written."""
        structure = Structure(
            name="S",
            identifier=64,
            fields=(("A", Field.UINT), ("B", Field.STRINGS), ("C", Field.BYTES)),
        )
        self.assertEqual(
            encode(structure, {}), encode(structure, {"A": 0, "B": [], "C": b""})
        )

    def test_unknown_field(self) -> None:
        """A value without a field is our mistake."""
        structure = Structure(name="S", identifier=64, fields=(("A", Field.INT),))
        self.assertRaises(AssertionError, encode, structure, {"B": 1})
        self.assertRaises(AssertionError, encode, structure, {"A": "1"})

    @settings(max_examples=200, deadline=None)
    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "A": st.integers(-(1 << 63), (1 << 63) - 1),
                "B": st.integers(0, (1 << 64) - 1),
                "C": st.binary(max_size=300),
                "D": st.text(max_size=300),
                "E": st.lists(st.text(max_size=5), max_size=5),
            },
        )
    )
    def test_is_read_again(self, values: dict[str, object]) -> None:
        """What was written is read as it was, but for zeros."""
        structure = Structure(
            name="S",
            identifier=40000,
            fields=(
                ("A", Field.INT),
                ("B", Field.UINT),
                ("C", Field.BYTES),
                ("D", Field.STRING),
                ("E", Field.STRINGS),
            ),
        )
        filled = {name: value for name, value in values.items() if value}
        self.assertEqual(filled, decode(encode(structure, values)))
