"""What every `IEtcdDataDirectory` does."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from e2d.interfaces import DataDirectoryError, IEtcdDataDirectory
from e2d.model import (
    ClusterID,
    DataState,
    Empty,
    Founding,
    Holds,
    Lost,
    MemberID,
    NodeName,
    Pause,
    Unborn,
)

__all__ = ["EtcdDataDirectoryContract"]

T = TypeVar("T")

if TYPE_CHECKING:
    _TestCase = SynchronousTestCase
else:
    # On its own it is no test, wherever its name is imported.
    _TestCase = object

FOUNDING = Founding(
    founding_id="f1",
    cluster_name="blue",
    peers=((NodeName("n1"), "http://127.0.0.1:2380"),),
    started=False,
)
STARTED = evolve(FOUNDING, started=True)


class EtcdDataDirectoryContract(_TestCase):
    """
    Mix it into a test case, and say how to make a directory and what befalls it.

    The pool of the directory runs things at once.
    """

    def make(self) -> IEtcdDataDirectory:
        """A directory on a new disk."""
        raise NotImplementedError

    def etcd_lives(self) -> Holds:
        """An etcd started in the directory writes to its log; what it then holds."""
        raise NotImplementedError

    def lose_member(self) -> None:
        """All of ``member/`` is gone."""
        raise NotImplementedError

    def setUp(self) -> None:
        """Given a directory on a new disk."""
        super().setUp()
        self.directory = self.make()

    def done(self, work: Coroutine[Any, Any, T]) -> T:
        """What it returns."""
        result: T = self.successResultOf(Deferred.fromCoroutine(work))
        return result

    def refused(self, work: Coroutine[Any, Any, T]) -> str:
        """Why the disk said no: one line."""
        failure = self.failureResultOf(Deferred.fromCoroutine(work), DataDirectoryError)
        message = str(failure.value)
        self.assertEqual(message.count("\n"), 0)
        return message

    def state(self) -> DataState:
        """What it is found to be now."""
        return self.done(self.directory.examine(10.0))

    def test_interface(self) -> None:
        """It provides the interface."""
        self.assertTrue(verifyObject(IEtcdDataDirectory, self.directory))

    def test_empty(self) -> None:
        """A new disk is Empty."""
        self.assertEqual(self.state(), Empty())

    def test_node_id(self) -> None:
        """The id of the disk is 16 hex digits and stays the same."""
        node_id = self.done(self.directory.node_id())
        self.assertRegex(node_id, "^[0-9a-f]{16}$")
        self.assertEqual(self.done(self.directory.node_id()), node_id)

    def test_name(self) -> None:
        """A name is not known before it is recorded, and then is the last recorded."""
        self.assertIsNone(self.done(self.directory.node_name()))
        self.done(self.directory.record_name(NodeName("n1")))
        self.done(self.directory.record_name(NodeName("n2")))
        self.assertEqual(self.done(self.directory.node_name()), "n2")

    def test_pause(self) -> None:
        """A pause is kept to the instant it ends at."""
        until_at = datetime(2026, 3, 1, 12, 30, 15, 250, timezone(timedelta(hours=2)))
        pause = Pause(until_at=until_at, by="uid 0", reason="new disk")
        self.assertIsNone(self.done(self.directory.pause()))
        self.done(self.directory.record_pause(pause))
        self.assertEqual(self.done(self.directory.pause()), pause)

    def test_pause_replaced(self) -> None:
        """A later pause replaces the one before."""
        first = Pause(until_at=datetime(2026, 3, 1, tzinfo=UTC), by="uid 0")
        later = Pause(until_at=datetime(2026, 4, 1, tzinfo=UTC), by="uid 7")
        self.done(self.directory.record_pause(first))
        self.done(self.directory.record_pause(later))
        self.assertEqual(self.done(self.directory.pause()), later)

    def test_founding_not_started(self) -> None:
        """A founding that was not started is kept, and the directory is Empty still."""
        self.assertIsNone(self.done(self.directory.founding()))
        self.done(self.directory.record_founding(FOUNDING))
        self.assertEqual(self.done(self.directory.founding()), FOUNDING)
        self.assertEqual(self.state(), Empty())

    def test_founding_replaced(self) -> None:
        """A founding that was not started gives way to another."""
        other = evolve(FOUNDING, founding_id="f2")
        self.done(self.directory.record_founding(FOUNDING))
        self.done(self.directory.record_founding(other))
        self.assertEqual(self.done(self.directory.founding()), other)

    def test_unborn(self) -> None:
        """Started, but no etcd wrote anything: the same founding may start again."""
        self.done(self.directory.record_founding(STARTED))
        self.assertEqual(self.state(), Unborn(founding=STARTED))
        self.done(self.directory.record_founding(STARTED))
        self.assertEqual(self.state(), Unborn(founding=STARTED))

    def test_holds(self) -> None:
        """What etcd wrote is whose it says, mark or no mark."""
        self.done(self.directory.record_founding(STARTED))
        holds = self.etcd_lives()
        self.assertEqual(self.state(), holds)
        self.done(self.directory.record_member(holds))
        self.done(self.directory.record_member(holds))
        self.assertEqual(self.state(), holds)

    def test_lost(self) -> None:
        """Once etcd was seen to live here, no data is Lost, never Empty or Unborn."""
        self.done(self.directory.record_founding(STARTED))
        self.done(self.directory.record_member(self.etcd_lives()))
        self.lose_member()
        self.assertEqual(self.state(), Lost(founding=STARTED))

    def test_lost_before_it_was_seen(self) -> None:
        """Nor does e2d have to have seen it: what was started and is gone is Lost."""
        self.done(self.directory.record_founding(STARTED))
        self.lose_member()
        self.assertEqual(self.state(), Lost(founding=STARTED))

    def test_in_place(self) -> None:
        """Data that vanishes under the etcd that runs on it is noticed."""
        self.etcd_lives()
        self.assertTrue(self.done(self.directory.in_place()))
        self.lose_member()
        self.assertFalse(self.done(self.directory.in_place()))

    def test_lost_after_a_takeover(self) -> None:
        """Data that e2d did not found and started once is Lost when it is gone (A2)."""
        self.done(self.directory.record_member(self.etcd_lives()))
        self.lose_member()
        self.assertEqual(self.state(), Lost(founding=None))
        self.refused(self.directory.record_founding(STARTED))
        self.assertEqual(self.state(), Lost(founding=None))

    def test_no_founding_where_data_was_lost(self) -> None:
        """No founding, the same or another, starts where data was lost."""
        self.done(self.directory.record_founding(STARTED))
        self.lose_member()
        self.refused(self.directory.record_founding(STARTED))
        self.refused(self.directory.record_founding(evolve(STARTED, founding_id="f2")))
        self.refused(self.directory.record_founding(FOUNDING))
        self.assertEqual(self.state(), Lost(founding=STARTED))

    def test_no_founding_over_data(self) -> None:
        """No founding starts over data."""
        holds = self.etcd_lives()
        self.refused(self.directory.record_founding(STARTED))
        self.assertEqual(self.state(), holds)

    def test_never_seen_to_live(self) -> None:
        """An etcd that is said to live takes the mark away for good."""
        self.done(self.directory.record_founding(STARTED))
        self.done(
            self.directory.record_member(
                Holds(member_id=MemberID(1), cluster_id=ClusterID(2), name=None)
            )
        )
        self.assertEqual(self.state(), Lost(founding=STARTED))

    def test_set_aside(self) -> None:
        """What is set aside is no longer there, and etcd never starts anew for it."""
        self.done(self.directory.record_founding(STARTED))
        self.done(self.directory.record_member(self.etcd_lives()))
        where = self.done(self.directory.set_aside("superseded"))
        self.assertIn("superseded", where)
        self.assertEqual(self.state(), Lost(founding=STARTED))

    def test_nothing_to_set_aside(self) -> None:
        """Without ``member/`` there is nothing to set aside."""
        self.refused(self.directory.set_aside("superseded"))

    def test_limit_of_things_aside(self) -> None:
        """At the limit nothing more is set aside and nothing is deleted."""
        for _ in range(8):
            self.etcd_lives()
            self.done(self.directory.set_aside("flapping"))
        holds = self.etcd_lives()
        self.refused(self.directory.set_aside("flapping"))
        self.assertEqual(self.state(), holds)

    def test_no_swap_to_finish(self) -> None:
        """Finishing when nothing was cut short changes nothing."""
        holds = self.etcd_lives()
        self.done(self.directory.finish_swap())
        self.assertEqual(self.state(), holds)
