"""Tests of `e2d.cluster.announcing`."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.cluster.announcing import announcement, farewell
from e2d.cluster.observation import Observation
from e2d.model import (
    Absent,
    Announcement,
    DataSummary,
    Empty,
    EtcdVersion,
    NodeID,
    NodeStatus,
    ProblemKind,
    Revision,
    Serving,
    Starting,
    Stopping,
)
from tests.cluster.builders import HOLDS, LOOK, SERVING, STATUS, WELL, failed

VERSION = EtcdVersion(3, 5, 16)
DATA = DataSummary(cluster_id=STATUS.cluster_id, member_id=STATUS.member_id)


def said(
    observation: Observation, before: Announcement | None = None
) -> Announcement | None:
    """What a node says that knows its id."""
    known = evolve(observation, node_id=NodeID("0123456789abcdef"))
    return announcement(known, etcd_version=VERSION, before=before)


class AnnouncementTests(SynchronousTestCase):
    """`announcement`."""

    def test_without_an_id(self) -> None:
        """A node that does not know who it is says nothing."""
        self.assertIsNone(announcement(WELL, etcd_version=VERSION, before=None))

    def test_serving(self) -> None:
        """RUNNING, with whose data it holds."""
        self.assertEqual(
            said(WELL),
            Announcement(
                name=WELL.local,
                node_id=NodeID("0123456789abcdef"),
                status=NodeStatus.RUNNING,
                etcd_version=VERSION,
                data=DATA,
            ),
        )

    def test_nothing_that_moves(self) -> None:
        """Writes, elections and time change nothing of what is said (A20)."""
        moved = evolve(
            WELL,
            now=WELL.now + 1000.0,
            status=evolve(
                STATUS, revision=Revision(99), raft_term=7, raft_index=500, leader=None
            ),
        )
        self.assertEqual(said(WELL), said(moved))

    def test_statuses(self) -> None:
        """What etcd's process does decides."""
        expected = {
            NodeStatus.PENDING: (
                Absent(),
                Starting(pid=1, since=0.0),
                Serving(pid=1, since=0.0, answering=False),
                failed(),
            ),
            NodeStatus.RUNNING: (SERVING,),
            NodeStatus.STOPPING: (Stopping(pid=1, since=0.0),),
            NodeStatus.FAILED: (
                failed(gave_up=True),
                failed(kind=ProblemKind.MEMBER_REMOVED),
            ),
        }
        for status, children in expected.items():
            for child in children:
                announced = said(evolve(WELL, child=child))
                assert announced is not None
                self.assertIs(announced.status, status, child)

    def test_data_at_rest(self) -> None:
        """Data that no etcd runs on is told all the same."""
        announced = said(evolve(LOOK, data=HOLDS))
        assert announced is not None
        self.assertEqual(announced.data, DATA)

    def test_data_while_etcd_does_not_answer(self) -> None:
        """What a member holds does not come and go with its answers."""
        before = said(WELL)
        silent = said(evolve(WELL, status=None), before)
        assert silent is not None
        self.assertEqual(silent.data, DATA)

    def test_no_data(self) -> None:
        """An empty directory is told as such, whatever was there before."""
        announced = said(evolve(LOOK, data=Empty()), said(WELL))
        assert announced is not None
        self.assertIsNone(announced.data)

    def test_farewell(self) -> None:
        """A node that is told to stop says so, and nothing else new."""
        last = said(WELL)
        assert last is not None
        self.assertEqual(farewell(last), evolve(last, status=NodeStatus.STOPPING))
