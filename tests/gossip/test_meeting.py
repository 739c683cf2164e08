"""Whom to try to meet, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from attrs import astuple
from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.acquaintances import Acquaintances
from e2d.gossip.meeting import Known, Meetings, MeetingSettings, SeedChange
from e2d.gossip.resolving import Found, NotFound, Resolved
from e2d.model import Address, Rank

OWN = Address("10.0.0.1", 7980)
N2 = Address("10.0.0.2", 7980)
N3 = Address("10.0.0.3", 7980)
NAMED = Address("n.example", 7980)
REFUSED = "refused the connection"


class NoJitter(Random):
    """Delays are as long as they get."""

    def random(self) -> float:
        """Nothing is taken off."""
        return 0.0


def literal(address: Address) -> Resolved:
    """A seed that is an address."""
    return Found(address, (address,))


def known(
    *,
    ring: dict[Address, Rank] | None = None,
    seeds: tuple[Resolved, ...] = (),
    discovered: tuple[Resolved, ...] = (),
    remembered: tuple[Address, ...] = (),
) -> Known:
    """Where peers may be; this node itself is always in the ring."""
    members = {OWN: Rank.ALIVE, **(ring or {})}
    return Known(
        ring=tuple(members.items()),
        seeds=seeds,
        discovered=discovered,
        remembered=remembered,
    )


def numbered(count: int) -> tuple[Address, ...]:
    """So many addresses."""
    return tuple(Address("10.0.1.1", number + 1) for number in range(count))


class MeetingsTestCase(SynchronousTestCase):
    """Given a node that tried nobody yet."""

    def setUp(self) -> None:
        """At the beginning of time."""
        self.meetings = Meetings(MeetingSettings(), OWN, NoJitter())

    def asked(self, now: float, where: Known) -> set[Address]:
        """Who is asked in a round, and nobody answers."""
        addresses = self.meetings.round(now, where).addresses
        for address in addresses:
            self.meetings.failed(address, REFUSED)
        return set(addresses)


class WhomTests(MeetingsTestCase):
    """Everybody who may be there and is not in the ring."""

    def test_all_sources(self) -> None:
        """Seeds, discovered, remembered and dead ones are asked at once."""
        n4, n5 = numbered(2)
        where = known(
            ring={n4: Rank.DEAD},
            seeds=(literal(N2),),
            discovered=(literal(N3),),
            remembered=(n5,),
        )
        self.assertEqual({N2, N3, n4, n5}, self.asked(0.0, where))

    def test_not_who_is_there(self) -> None:
        """Nobody in the ring is asked, alive or suspected, nor this node itself."""
        where = known(
            ring={N2: Rank.ALIVE, N3: Rank.SUSPECT},
            seeds=(literal(N2), literal(OWN)),
            remembered=(N2, N3),
        )
        self.assertEqual(set(), self.asked(0.0, where))

    def test_not_itself(self) -> None:
        """It does not ask itself before it is in the ring, either, and is alone."""
        seeds = (literal(OWN),)
        where = Known(ring=(), seeds=seeds, discovered=(), remembered=())
        self.assertEqual(((), 1.0), astuple(self.meetings.round(0.0, where)))

    def test_each_round(self) -> None:
        """Who does not answer is asked in each round, for ever."""
        where = known(ring={N3: Rank.DEAD}, seeds=(literal(N2),))
        for now in (0.0, 1.0, 1000.0):
            self.assertEqual({N2, N3}, self.asked(now, where))

    def test_all_addresses_of_a_name(self) -> None:
        """All addresses of a name are asked, but those that are in the ring."""
        n4, n5 = numbered(2)
        seed = Found(NAMED, (N2, n4, n5))
        where = known(ring={N2: Rank.ALIVE}, seeds=(seed,))
        self.assertEqual({n4, n5}, self.asked(0.0, where))

    def test_name_without_address(self) -> None:
        """A name without an address holds up nobody."""
        where = known(seeds=(NotFound(NAMED, "has no address"), literal(N2)))
        self.assertEqual({N2}, self.asked(0.0, where))

    def test_while_pending(self) -> None:
        """Nobody is asked twice at a time, unless the outcome was lost."""
        where = known(seeds=(literal(N2),))
        self.assertEqual((N2,), self.meetings.round(0.0, where).addresses)
        self.assertEqual((), self.meetings.round(59.0, where).addresses)
        self.assertEqual((N2,), self.meetings.round(60.0, where).addresses)

    def test_left(self) -> None:
        """Who left is asked every ten minutes, from when it left on."""
        where = known(ring={N2: Rank.LEFT}, remembered=(N2,))
        self.assertEqual(set(), self.asked(0.0, where))
        self.assertEqual(set(), self.asked(599.0, where))
        self.assertEqual({N2}, self.asked(600.0, where))
        self.assertEqual(set(), self.asked(1199.0, where))
        self.assertEqual({N2}, self.asked(1200.0, where))

    def test_seed_left(self) -> None:
        """A seed that left is asked in each round, and so is a discovered address."""
        where = known(
            ring={N2: Rank.LEFT, N3: Rank.LEFT},
            seeds=(literal(N2),),
            discovered=(literal(N3),),
            remembered=(N2, N3),
        )
        self.assertEqual({N2, N3}, self.asked(0.0, where))

    def test_one_address_of_two(self) -> None:
        """Where one left or died and another lives now, the one that lives counts."""
        members = ((N2, Rank.LEFT), (N2, Rank.ALIVE), (N2, Rank.DEAD))
        where = Known(ring=members, seeds=(literal(N2),), discovered=(), remembered=())
        self.assertEqual(set(), self.asked(0.0, where))

    def test_answered_from_elsewhere(self) -> None:
        """Who answered and has another address in the ring is asked seldom."""
        where = known(ring={N3: Rank.ALIVE}, seeds=(literal(N2),))
        self.meetings.round(0.0, where)
        self.meetings.answered(N2, 1.0)
        self.assertEqual(set(), self.asked(599.0, where))
        self.assertEqual({N2}, self.asked(600.0, where))
        self.assertEqual({N2}, self.asked(601.0, where))

    def test_answered_and_died(self) -> None:
        """Who answered and is dead by now is asked in each round."""
        self.meetings.round(0.0, known(seeds=(literal(N2),)))
        self.meetings.answered(N2, 1.0)
        dead = known(ring={N2: Rank.DEAD}, seeds=(literal(N2),))
        self.assertEqual({N2}, self.asked(2.0, dead))


class BoundTests(MeetingsTestCase):
    """A round is bounded, and each has its turn."""

    def test_at_most_sixteen(self) -> None:
        """No more than sixteen are asked in a round."""
        where = known(remembered=numbered(100))
        self.assertEqual(16, len(self.asked(0.0, where)))

    def test_seeds_first(self) -> None:
        """In the first round seeds come before all others, then what was discovered."""
        where = known(
            seeds=(literal(N2),), discovered=(literal(N3),), remembered=numbered(100)
        )
        self.assertEqual((N2, N3), self.meetings.round(0.0, where).addresses[:2])

    @given(st.integers(1, 100), st.integers(0, 30))
    def test_fair(self, remembered: int, discovered: int) -> None:
        """Each has its turn in as many rounds as it takes, and nobody a second one."""
        addresses = numbered(remembered + discovered)
        where = known(
            discovered=tuple(map(literal, addresses[:discovered])),
            remembered=addresses[discovered:],
        )
        self.setUp()
        turns: list[Address] = []
        for number in range(-(-len(addresses) // 16)):
            addressed = self.meetings.round(float(number), where).addresses
            turns.extend(addressed)
            for address in addressed:
                self.meetings.failed(address, REFUSED)
        self.assertEqual(set(addresses), set(turns[: len(addresses)]))

    def test_forgets(self) -> None:
        """What is in question no more is not remembered here."""
        self.asked(0.0, known(remembered=numbered(100)))
        self.asked(1.0, known(seeds=(literal(N2),)))
        self.assertEqual([N2], list(self.meetings._trials))


class WhenTests(MeetingsTestCase):
    """Often in trouble, and now and then otherwise."""

    def delays(self, count: int, where: Known) -> list[float]:
        """The pauses after so many rounds in which nobody answers."""
        found = []
        for number in range(count):
            turn = self.meetings.round(float(number * 100), where)
            for address in turn.addresses:
                self.meetings.failed(address, REFUSED)
            found.append(turn.seconds)
        return found

    def test_alone(self) -> None:
        """While it is alone: after 1, 2, 5, 10 seconds, and then every 30."""
        expected = [1.0, 2.0, 5.0, 10.0, 30.0, 30.0]
        self.assertEqual(expected, self.delays(6, known(ring={N2: Rank.DEAD})))

    def test_seed_unmet(self) -> None:
        """The same while a seed is not met, with others in the ring or without."""
        where = known(ring={N3: Rank.ALIVE}, seeds=(literal(N2),))
        self.assertEqual([1.0, 2.0, 5.0], self.delays(3, where))

    def test_well(self) -> None:
        """Every 30 seconds while all is well."""
        where = known(ring={N2: Rank.ALIVE}, seeds=(literal(N2),))
        self.assertEqual([30.0, 30.0], self.delays(2, where))

    def test_remembered_unmet(self) -> None:
        """Who is only remembered hurries nobody."""
        where = known(ring={N2: Rank.ALIVE}, remembered=(N3,))
        self.assertEqual([30.0], self.delays(1, where))

    def test_trouble_again(self) -> None:
        """The next trouble begins with a second again."""
        self.delays(5, known())
        self.delays(1, known(ring={N2: Rank.ALIVE}))
        self.assertEqual([1.0, 2.0], self.delays(2, known()))

    def test_jitter(self) -> None:
        """Up to a fifth is taken off, so that nodes do not ask together."""
        meetings = Meetings(MeetingSettings(), OWN, Random(1))
        where = known(ring={N2: Rank.ALIVE})
        delays = [meetings.round(float(now), where).seconds for now in range(50)]
        self.assertTrue(all(24.0 <= delay <= 30.0 for delay in delays))
        self.assertGreater(len(set(delays)), 40)


class PartitionTests(MeetingsTestCase):
    """What the ring has forgotten is asked as long as it is remembered, or a seed."""

    def setUp(self) -> None:
        """Given that N2 is remembered, N3 is a seed, and the ring has neither."""
        super().setUp()
        self.remembered = Acquaintances("blue", OWN)
        self.remembered.met(N2, None, datetime(2026, 3, 1, tzinfo=UTC))
        self.now = 0.0

    def asked_after(self, hours: float) -> set[Address]:
        """Who is asked when so much time has passed, a round each minute."""
        asked: set[Address] = set()
        for _ in range(int(hours * 60)):
            self.now += 60.0
            self.remembered.asked(60.0)
            addresses = self.remembered.addresses()
            where = known(seeds=(literal(N3),), remembered=addresses)
            asked = self.asked(self.now, where)
        return asked

    def test_a_day(self) -> None:
        """For a day both are."""
        self.assertEqual({N2, N3}, self.asked_after(23.9))

    def test_longer(self) -> None:
        """After that only the seed is, for ever (A20)."""
        self.assertEqual({N3}, self.asked_after(24))
        self.assertEqual({N3}, self.asked_after(100))


class ToldTests(MeetingsTestCase):
    """What a status and a log say of seeds."""

    def test_unmet(self) -> None:
        """Whoever did not answer when last asked, by its written name."""
        seed = Found(NAMED, (N2,))
        where = known(seeds=(seed,), discovered=(literal(N3),), remembered=(N2, N3))
        self.asked(0.0, where)
        self.assertEqual((N3, NAMED), self.meetings.unmet())

    def test_remembered_unmet(self) -> None:
        """Remembered ones, too."""
        self.asked(0.0, known(remembered=(N3, N2)))
        self.assertEqual((N2, N3), self.meetings.unmet())

    def test_unknown(self) -> None:
        """Who was not asked yet, or did not answer yet, is not unmet."""
        where = known(seeds=(literal(N2),), remembered=(N3,))
        self.assertEqual((), self.meetings.unmet())
        self.meetings.round(0.0, where)
        self.assertEqual((), self.meetings.unmet())

    def test_unmet_while_asked_again(self) -> None:
        """Who did not answer stays unmet while it is asked again, until it answers."""
        where = known(seeds=(literal(N2),))
        self.asked(0.0, where)
        self.meetings.round(1.0, where)
        self.assertEqual((N2,), self.meetings.unmet())
        self.meetings.answered(N2, 2.0)
        self.assertEqual((), self.meetings.unmet())

    def test_met_in_the_ring(self) -> None:
        """Who came into the ring by itself is met."""
        self.asked(0.0, known(seeds=(literal(N2),)))
        self.meetings.round(1.0, known(ring={N2: Rank.ALIVE}, seeds=(literal(N2),)))
        self.assertEqual((), self.meetings.unmet())

    def test_one_address_is_enough(self) -> None:
        """A name is met when one of its addresses is, and unmet when none answers."""
        where = known(seeds=(Found(NAMED, (N2, N3)),))
        self.meetings.round(0.0, where)
        self.meetings.failed(N2, REFUSED)
        self.assertEqual((), self.meetings.unmet())
        self.meetings.failed(N3, REFUSED)
        self.assertEqual((NAMED,), self.meetings.unmet())
        self.meetings.answered(N3, 1.0)
        self.assertEqual((), self.meetings.unmet())

    def test_told_once(self) -> None:
        """That a seed does not answer is told once, whatever it does instead."""
        where = known(seeds=(literal(N2),))
        self.asked(0.0, where)
        self.assertEqual((SeedChange(N2, REFUSED),), self.meetings.changes())
        self.meetings.round(1.0, where)
        self.meetings.failed(N2, "does not answer")
        self.assertEqual((), self.meetings.changes())

    def test_told_when_it_answers(self) -> None:
        """That it answers again is told, and that it stops to."""
        where = known(seeds=(literal(N2),))
        self.asked(0.0, where)
        self.meetings.changes()
        self.meetings.round(1.0, where)
        self.meetings.answered(N2, 1.0)
        self.assertEqual((SeedChange(N2, None),), self.meetings.changes())
        self.asked(1000.0, where)
        self.assertEqual((SeedChange(N2, REFUSED),), self.meetings.changes())

    def test_not_told_of_first_meetings(self) -> None:
        """A seed that is met at once is nothing to tell of."""
        self.meetings.round(0.0, known(seeds=(literal(N2),)))
        self.assertEqual((), self.meetings.changes())
        self.meetings.answered(N2, 1.0)
        self.assertEqual((), self.meetings.changes())

    def test_told_of_names(self) -> None:
        """A name that cannot be looked up is told, too."""
        where = known(seeds=(NotFound(NAMED, "has no address"),))
        self.asked(0.0, where)
        expected = (SeedChange(NAMED, "has no address"),)
        self.assertEqual(expected, self.meetings.changes())
        self.assertEqual((NAMED,), self.meetings.unmet())

    def test_not_told_of_remembered(self) -> None:
        """Who is only remembered fills no log."""
        self.asked(0.0, known(remembered=(N2,)))
        self.assertEqual((), self.meetings.changes())

    def test_long_reason(self) -> None:
        """Whoever answers with a book is quoted with its beginning."""
        self.meetings.round(0.0, known(seeds=(literal(N2),)))
        self.meetings.failed(N2, "x" * 1000)
        self.assertEqual((SeedChange(N2, "x" * 200),), self.meetings.changes())

    def test_stranger(self) -> None:
        """Outcomes of exchanges that nobody asked for here mean nothing."""
        self.meetings.round(0.0, known())
        self.meetings.answered(N3, 1.0)
        self.meetings.failed(N2, REFUSED)
        self.assertEqual((), self.meetings.unmet())
