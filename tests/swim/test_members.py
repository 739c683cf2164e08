"""Who is in the ring, and whose turn it is."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.identity import DEFAULT_VERSIONS
from e2d.swim.members import Record, Ring
from e2d.swim.messages import Rank
from tests.swim.rings import state


def _record(number: int, rank: Rank = Rank.ALIVE, since: float = 0.0) -> Record:
    return Record(
        state=state(b"%d" % number, number, rank=rank),
        versions=DEFAULT_VERSIONS,
        since=since,
    )


def _ring(*records: Record, seed: int = 1) -> Ring:
    """A ring in which we are 0."""
    ring = Ring(b"0", Random(seed))
    for record in records:
        ring.add(record)
    return ring


def _names(records: list[Record]) -> list[bytes]:
    return sorted(record.name for record in records)


def _probed(ring: Ring, turns: int) -> list[bytes]:
    probed = (ring.next_probed(0.0)[0] for _ in range(turns))
    return [record.name for record in probed if record is not None]


class ProbeOrderTests(SynchronousTestCase):
    """Whose turn it is."""

    def test_each_once_in_a_round(self) -> None:
        """Everybody but us is probed once in a round."""
        ring = _ring(*map(_record, range(10)))
        self.assertEqual(sorted(_probed(ring, 9)), [b"%d" % n for n in range(1, 10)])

    def test_rounds_differ(self) -> None:
        """The next round has another order, so that none is always the last."""
        ring = _ring(*map(_record, range(10)))
        first, second = _probed(ring, 9), _probed(ring, 9)
        self.assertEqual(sorted(first), sorted(second))
        self.assertNotEqual(first, second)

    def test_the_gone_are_passed_by(self) -> None:
        """The dead and those who left are not probed; suspects are."""
        ring = _ring(
            _record(0),
            _record(1, Rank.DEAD),
            _record(2, Rank.LEFT),
            _record(3, Rank.SUSPECT),
        )
        self.assertEqual(set(_probed(ring, 4)), {b"3"})

    def test_alone(self) -> None:
        """Alone there is nobody to probe."""
        self.assertEqual(_ring(_record(0)).next_probed(0.0), (None, []))

    def test_newcomers_are_placed_at_random(self) -> None:
        """Newcomers are not all probed in the order in which they came."""
        names = [record.name for record in _ring(*map(_record, range(20)))]
        self.assertNotEqual(names, [b"%d" % number for number in range(20)])

    def test_forgets_at_the_end_of_a_round(self) -> None:
        """Who is gone for long enough is forgotten when a round ends, we never."""
        ring = _ring(
            _record(0, Rank.LEFT, 1.0),
            _record(1, Rank.DEAD, 1.0),
            _record(2, Rank.LEFT, 1.0),
            _record(3, Rank.DEAD, 5.0),
            _record(4, Rank.SUSPECT, 1.0),
        )
        forgotten = [each for _ in range(3) for each in ring.next_probed(5.0)[1]]
        self.assertEqual(_names(forgotten), [b"1", b"2"])
        self.assertEqual(_names(list(ring)), [b"0", b"3", b"4"])
        self.assertIsNone(ring.get(b"1"))


class ChoiceTests(SynchronousTestCase):
    """Some others at random."""

    def test_distinct(self) -> None:
        """Each is chosen once, and never we."""
        ring = _ring(*map(_record, range(90)))
        chosen = _names(ring.choose(30, lambda _: True))
        self.assertEqual(len(set(chosen)), 30)
        self.assertNotIn(b"0", chosen)

    def test_another_choice_each_time(self) -> None:
        """Chance decides."""
        ring = _ring(*map(_record, range(90)))
        first, second = (_names(ring.choose(3, lambda _: True)) for _ in range(2))
        self.assertNotEqual(first, second)

    def test_suiting(self) -> None:
        """Only who suits is chosen."""
        ring = _ring(*(_record(n, Rank(n % 3)) for n in range(90)))
        chosen = ring.choose(3, lambda record: record.rank is Rank.ALIVE)
        self.assertEqual([each.rank for each in chosen], [Rank.ALIVE] * 3)

    def test_all_of_a_few(self) -> None:
        """In a small ring, all who suit are found."""
        ring = _ring(*map(_record, range(4)))
        self.assertEqual(_names(ring.choose(3, lambda _: True)), [b"1", b"2", b"3"])

    def test_the_only_one(self) -> None:
        """In a small ring who alone suits is found, whatever chance says."""
        for seed in range(200):
            ring = _ring(*map(_record, range(3)), seed=seed)
            chosen = ring.choose(1, lambda record: record.name == b"2")
            self.assertEqual(_names(chosen), [b"2"])

    def test_fewer(self) -> None:
        """Where too few suit, there are fewer, and it ends."""
        ring = _ring(*map(_record, range(90)))
        self.assertEqual(ring.choose(3, lambda _: False), [])
