"""Peers are remembered as long as they may answer again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.acquaintances import Acquaintances, NotAcquaintances
from e2d.model import Address, NodeName

OWN = Address("10.0.0.1", 7980)
N2 = Address("10.0.0.2", 7980)
N3 = Address("2001:db8::3", 7980)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = 3600.0


def numbered(number: int) -> Address:
    """One of many."""
    return Address("10.0.1.1", number + 1)


class AcquaintancesTests(SynchronousTestCase):
    """`Acquaintances` knows who answered, and forgets who does not any more."""

    def setUp(self) -> None:
        """Given a node that knows nobody."""
        self.known = Acquaintances("blue", OWN)

    def meet(self, *addresses: Address, at: datetime = NOW) -> None:
        """These answer."""
        for address in addresses:
            self.known.met(address, NodeName("n"), at)

    def ask(self, seconds: float) -> list[Address]:
        """So much time passes, a minute at a time; who is forgotten."""
        forgotten: list[Address] = []
        for _ in range(int(seconds // 60)):
            forgotten.extend(self.known.asked(60.0))
        return forgotten

    def test_met(self) -> None:
        """Whoever answered is remembered; that it is new is told once."""
        self.assertTrue(self.known.met(N2, NodeName("n2"), NOW))
        self.assertFalse(self.known.met(N2, NodeName("n2"), NOW))
        self.assertEqual((N2,), self.known.addresses())

    def test_name(self) -> None:
        """An answer without a name leaves the name; a new one replaces it."""
        self.known.met(N2, NodeName("n2"), NOW)
        self.known.met(N2, None, NOW)
        self.assertEqual("n2", self.known.all()[0].name)
        self.known.met(N2, NodeName("m2"), NOW)
        self.assertEqual("m2", self.known.all()[0].name)

    def test_own(self) -> None:
        """This node is no acquaintance of its own."""
        self.assertFalse(self.known.met(OWN, NodeName("n1"), NOW))
        self.assertEqual((), self.known.addresses())

    def test_nowhere(self) -> None:
        """Nobody is remembered where nobody can be."""
        for host, port in (
            ("10.0.0.2", 0),
            ("::", 7980),
            ("224.0.0.1", 7980),
            ("n2.example", 7980),
        ):
            self.assertFalse(self.known.met(Address(host, port), None, NOW))
        self.assertEqual((), self.known.addresses())

    def test_newest_first(self) -> None:
        """Who answered last is first, whatever the wall clock says of it."""
        self.meet(N2, at=NOW)
        self.known.asked(30.0)
        self.meet(N3, at=NOW - timedelta(days=1))
        self.assertEqual((N3, N2), self.known.addresses())

    def test_forgotten(self) -> None:
        """24 hours of questions without an answer are enough, and not less."""
        self.meet(N2, N3)
        self.assertEqual([], self.ask(23 * HOUR))
        self.meet(N3)
        self.assertEqual([], self.ask(HOUR - 60))
        self.assertEqual([N2], self.ask(60))
        self.assertEqual((N3,), self.known.addresses())

    def test_clock_jumps(self) -> None:
        """A clock that jumps takes nobody away, forwards or backwards."""
        self.meet(N2)
        self.assertEqual((), self.known.asked(30 * 24 * HOUR))
        self.assertEqual((), self.known.asked(-HOUR))
        (one,) = self.known.all()
        self.assertEqual(300.0, one.unanswered_seconds)

    def test_full(self) -> None:
        """At most 256 are kept: who was silent for longest makes room."""
        self.meet(N3)
        self.known.asked(60.0)
        self.meet(*map(numbered, range(255)))
        self.known.asked(61.0)
        self.assertTrue(self.known.met(N2, None, NOW))
        self.assertEqual(256, len(self.known.addresses()))
        self.assertEqual(N2, self.known.addresses()[0])
        self.assertFalse(N3 in self.known.addresses())

    def test_full_of_those_who_answer(self) -> None:
        """Nobody who answers makes room, so that a large ring changes nothing."""
        self.meet(*map(numbered, range(256)))
        self.known.asked(120.0)
        self.assertFalse(self.known.met(N2, None, NOW))
        self.assertFalse(N2 in self.known.addresses())

    def test_long_name(self) -> None:
        """A name that is none is not remembered; the address is."""
        self.known.met(N2, NodeName("n" * 256), NOW)
        self.assertIsNone(self.known.all()[0].name)


class DocumentTests(SynchronousTestCase):
    """What is remembered survives as JSON, and whatever else is JSON is refused."""

    def read(
        self, document: object, label: str | None = "blue", at: datetime = NOW
    ) -> Acquaintances:
        """What is read of a document, after a way through JSON."""
        written = json.loads(json.dumps(document))
        return Acquaintances.from_document(written, label=label, own=OWN, at=at)

    def document(self, **changed: object) -> dict[str, object]:
        """A good one, with one peer that is described otherwise in some respect."""
        known = Acquaintances("blue", OWN)
        known.met(N2, NodeName("n2"), NOW)
        document = known.to_document()
        assert isinstance(document["peers"], list)
        document["peers"][0].update(changed)
        return document

    def refusal(self, document: object, label: str | None = "blue") -> str:
        """Why one is refused."""
        error = self.assertRaises(NotAcquaintances, self.read, document, label)
        return error.reason

    def test_all_of_it(self) -> None:
        """All of it comes back, and time that was counted goes on."""
        known = Acquaintances("blue", OWN)
        known.met(N2, NodeName("n2\udc80"), NOW)
        known.asked(90.5)
        known.met(N3, None, NOW)
        self.assertEqual(known.all(), self.read(known.to_document()).all())

    def test_off_for_a_week(self) -> None:
        """A node that was off for a week still knows its peers."""
        later = NOW + timedelta(days=7)
        read = self.read(self.document(), at=later)
        self.assertEqual((N2,), read.addresses())
        self.assertEqual((), read.asked(30.0))

    def test_from_the_future(self) -> None:
        """Who is said to have answered tomorrow answered now, and is remembered."""
        earlier = NOW - timedelta(days=1)
        (one,) = self.read(self.document(), at=earlier).all()
        self.assertEqual(earlier, one.answered_at)

    def test_no_label(self) -> None:
        """A ring without a label has a document of its own."""
        document = Acquaintances(None, OWN).to_document()
        self.assertEqual((), self.read(document, None).addresses())
        self.assertIn("another label", self.refusal(document))

    def test_another_ring(self) -> None:
        """Who answered under another label is nobody that this node knows."""
        self.assertIn("another label", self.refusal(self.document(), "green"))

    def test_version(self) -> None:
        """What another version wrote is refused."""
        document = {**self.document(), "version": 2}
        self.assertIn("a version that this e2d does not", self.refusal(document))
        self.assertIn("no version", self.refusal({"version": "1"}))

    def test_own(self) -> None:
        """What became this node's own address meanwhile is left out."""
        for host in ("10.0.0.1", "::ffff:10.0.0.1"):
            document = self.document(host=host)
            self.assertEqual((), self.read(document).addresses())

    def test_silent(self) -> None:
        """Who was silent for long enough already is left out."""
        for seconds in (86400.0, 10**400, float("inf")):
            document = self.document(unansweredSeconds=seconds)
            self.assertEqual((), self.read(document).addresses())

    def test_not_a_peer(self) -> None:
        """A peer that is described otherwise spoils the whole."""
        for changed in (
            {"host": "n2.example"},
            {"host": "fe80::1%eth0"},
            {"host": 1},
            {"port": 0},
            {"port": 65536},
            {"port": True},
            {"port": "7980"},
            {"name": 3},
            {"answeredAt": "yesterday"},
            {"answeredAt": "2026-03-01T12:00:00"},
            {"unansweredSeconds": -1},
            {"unansweredSeconds": float("nan")},
            {"unansweredSeconds": True},
            {"unansweredSeconds": None},
        ):
            self.refusal(self.document(**changed))

    def test_many(self) -> None:
        """More than are ever written are refused."""
        document = self.document()
        assert isinstance(document["peers"], list)
        document["peers"] *= 257
        self.assertIn("at most 256", self.refusal(document))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        st.sampled_from(["host", "port", "name", "answeredAt", "unansweredSeconds"]),
    )
    def test_any(self, value: object, key: str) -> None:
        """Whatever JSON holds, it is read or it is no document."""
        for document in (value, self.document(**{key: value})):
            try:
                self.read(document)
            except NotAcquaintances:
                continue
