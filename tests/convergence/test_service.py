"""Tests of `e2d.convergence`: the loop on a fake process, a fake disk, a fake etcd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from attrs import evolve

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from e2d.cluster.policy import Policy
from e2d.cluster.steps import Plan, UpdatePeerURL
from e2d.convergence.acting import Actor, StepFailed
from e2d.convergence.observing import Observer
from e2d.convergence.service import ConvergenceService, NodeSettings
from e2d.interfaces import DataDirectoryError, EtcdDenied, IDaemonControl, IDaemonView
from e2d.model import (
    ClusterID,
    Elsewhere,
    EtcdStart,
    Founding,
    Holds,
    InitialState,
    MemberID,
    Missing,
    NodeName,
    Pause,
    ProblemKind,
    Serving,
    Starting,
    Unborn,
    Unreadable,
)
from e2d.testing.contracts.membership import announcement
from e2d.testing.datadir import FakeEtcdDataDirectory
from e2d.testing.etcd import FakeEtcdCluster
from e2d.testing.membership import MemoryRing
from e2d.testing.server import FakeEtcdServer

START = datetime(2026, 1, 1, tzinfo=UTC)
FRESH = NodeName("fresh")
URL = "http://fresh:2380"


def defect(_start: EtcdStart) -> None:
    """What no step and no source of a turn is expected to raise."""
    raise ZeroDivisionError("nobody thought of it")


class OneNode:
    """A node whose etcd writes its log as soon as it is executed."""

    def __init__(
        self,
        policy: Policy | None = None,
        override: str | None = None,
        *,
        gossips: bool = False,
    ) -> None:
        self.clock = Clock()
        self.ring = MemoryRing(self.clock)
        self.membership = self.ring.make_node() if gossips else None
        self.directory = FakeEtcdDataDirectory()
        self.cluster = FakeEtcdCluster(self.clock, Random(1), (FRESH,))
        self.etcd = self.cluster.node(FRESH)
        self.holds = Holds(
            member_id=self.etcd.member_id,
            cluster_id=self.cluster.cluster_id,
            name=FRESH,
        )
        self.server = FakeEtcdServer(self.clock, on_start=self.executed)
        self.founding_before_exec: Founding | None = None
        self.client = self.cluster.client(self.etcd.member_id)
        self.actor = Actor(
            clock=self.clock,
            server=self.server,
            directory=self.directory,
            client=self.client,
            cluster_name="e2d",
            peer_url=URL,
            nonce=lambda size: b"\xab" * size,
        )
        self.service = ConvergenceService(
            clock=self.clock,
            wall_clock=self.wall_clock,
            policy=policy or Policy(required_size=1, peer_url=URL),
            settings=NodeSettings(
                cluster_name="e2d",
                e2d_version="0",
                pid=1,
                started_at=START,
                config="c",
                socket="s",
                client_url="http://10.0.0.1:2379",
            ),
            observer=Observer(
                clock=self.clock,
                wall_clock=self.wall_clock,
                server=self.server,
                directory=self.directory,
                client=self.client,
                override=None if override is None else NodeName(override),
                fresh_name=FRESH,
            ),
            actor=self.actor,
            server=self.server,
            directory=self.directory,
            binary=lambda: "etcd",
            extra_warnings=lambda: ("c:1:1: careful", "no breadcrumb"),
            membership=self.membership,
        )

    def wall_clock(self) -> datetime:
        """The time of day, in step with the clock."""
        return START + timedelta(seconds=self.clock.seconds())

    def executed(self, _start: EtcdStart) -> None:
        """What etcd does first."""
        self.founding_before_exec = self.directory.recorded_founding
        self.directory.etcd_wrote(self.holds)

    def run(self) -> None:
        """The loop's first turn."""
        self.service.startService()
        self.clock.advance(0)

    def turn(self) -> None:
        """Let news be heard."""
        self.clock.advance(0)
        self.clock.advance(0)


class LoopTests(SynchronousTestCase):
    """Observe, decide, act."""

    def node(
        self, policy: Policy | None = None, override: str | None = None
    ) -> OneNode:
        """A node that is stopped in the end, with nothing left running."""
        node = OneNode(policy, override)

        def stopped() -> None:
            self.successResultOf(node.service.stopService())

        self.addCleanup(stopped)
        return node

    def test_provides_what_it_promises(self) -> None:
        """The loop is what the API reads and tells."""
        node = self.node()
        self.assertTrue(verifyObject(IDaemonView, node.service))
        self.assertTrue(verifyObject(IDaemonControl, node.service))

    def test_founds_with_the_founding_on_record(self) -> None:
        """A2: `started` is on disk before the first exec; the token is its id."""
        node = self.node()
        node.run()
        self.assertEqual(
            node.server.started,
            [
                EtcdStart(
                    name=FRESH,
                    peers=((FRESH, URL),),
                    token="ab" * 16,
                    state=InitialState.NEW,
                )
            ],
        )
        self.assertEqual(
            node.founding_before_exec,
            Founding(
                founding_id="ab" * 16,
                cluster_name="e2d",
                peers=((FRESH, URL),),
                started=True,
            ),
        )
        self.assertEqual(node.directory.name, FRESH)

    def test_serves_and_says_so(self) -> None:
        """Once etcd answers, the report says serving, with quorum."""
        node = self.node()
        node.run()
        node.server.serve()
        node.turn()
        report = node.service.report()
        self.assertTrue(report.ready)
        self.assertEqual(report.plan.reason, "etcd serves with quorum")
        self.assertEqual(report.child.starts, 1)
        self.assertEqual(report.warnings, ("c:1:1: careful", "no breadcrumb"))

    def test_a_stranger_on_our_port_is_not_our_member(self) -> None:
        """Who answers is put on record only if its log is the one on our disk."""
        node = self.node()
        node.holds = evolve(node.holds, member_id=MemberID(0xD15C))
        node.run()
        node.server.serve()
        node.turn()
        self.assertFalse(node.directory.lived)
        self.assertIn("another etcd", node.service.report().plan.reason)

    def test_restarts_a_child_that_died_on_its_data(self) -> None:
        """W-08: etcd's end is not e2d's: it is started again, as EXISTING."""
        node = self.node()
        node.run()
        node.server.serve()
        node.turn()
        node.server.fail(retry_in=1.0)
        node.turn()
        self.assertEqual(node.service.report().plan.code, "E2D-W03")
        self.assertEqual(len(node.server.started), 1)
        node.clock.advance(1.0)
        self.assertEqual(
            [start.state for start in node.server.started],
            [InitialState.NEW, InitialState.EXISTING],
        )

    def test_an_unborn_founding_keeps_its_id(self) -> None:
        """A start that never wrote a log goes on under the same token, as NEW."""
        node = self.node()
        founding = Founding(
            founding_id="cafe", cluster_name="e2d", peers=((FRESH, URL),), started=True
        )
        node.directory.data = Unborn(founding=founding)
        node.run()
        (start,) = node.server.started
        self.assertEqual((start.token, start.state), ("cafe", InitialState.NEW))

    def test_etcds_own_record_of_the_name_wins(self) -> None:
        """Takeover: the name that the data has is the name that is started."""
        node = self.node()
        node.directory.name = NodeName("stale")
        node.directory.data = Holds(
            member_id=node.holds.member_id,
            cluster_id=ClusterID(1),
            name=NodeName("from-the-data"),
        )
        node.run()
        self.assertEqual(node.server.started[0].name, "from-the-data")
        self.assertEqual(node.directory.name, "from-the-data")

    def test_override_name_wins_over_the_data(self) -> None:
        """``overrideName`` is the operator's word."""
        node = self.node(override="mine")
        node.directory.data = node.holds
        node.run()
        self.assertEqual(node.server.started[0].name, "mine")

    def test_adopts_what_an_earlier_e2d_left_running(self) -> None:
        """B1: an etcd that runs is taken over; nothing is started."""
        node = self.node()
        node.directory.data = node.holds
        node.server.left_behind = Serving(pid=7, since=0.0)
        node.run()
        node.turn()
        self.assertEqual(node.server.started, [])
        report = node.service.report()
        self.assertTrue(report.ready and report.child.adopted)

    def test_the_version_that_runs(self) -> None:
        """An etcd that was adopted says itself which it is, whatever is installed."""
        node = self.node()
        node.directory.data = node.holds
        node.server.left_behind = Serving(pid=7, since=0.0)
        node.run()
        node.turn()
        self.assertIsNone(node.server.version())
        running = str(node.cluster.rules.version)
        self.assertEqual(node.service.report().child.version, running)

    def test_a_missing_disk_is_waited_for(self) -> None:
        """A8: nothing is founded while the disk is away, and its return is seen."""
        node = self.node()
        node.directory.data = Missing(
            breadcrumb="/b", name=None, member_id=None, cluster_id=None, since=0.0
        )
        node.run()
        self.assertEqual(node.service.report().plan.code, "E2D-W06")
        node.directory.data = node.holds
        node.clock.advance(5.0)
        self.assertEqual(node.server.started[0].state, InitialState.EXISTING)

    def test_a_disk_that_refuses_is_not_empty(self) -> None:
        """What cannot be examined founds nothing, and its refusal is shown."""
        node = self.node()
        node.directory.data = Unreadable(reason="/d: Input/output error; see dmesg")
        node.run()
        plan = node.service.report().plan
        self.assertEqual(
            (plan.code, plan.reason), ("E2D-H02", "/d: Input/output error; see dmesg")
        )

    def test_a_turn_that_breaks_is_survived(self) -> None:
        """An exception in a turn is counted and logged, and the next turn comes."""
        node = self.node()
        node.server.on_start = defect
        node.run()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(node.service.report().loop.failures, 1)
        node.server.on_start = node.executed
        node.clock.advance(1.0)
        self.assertIsInstance(node.server.state(), Starting)

    def test_a_step_that_fails_is_told(self) -> None:
        """Status says what could not be done and why, and it is tried again."""
        node = self.node()
        node.directory.full = DataDirectoryError("/d/e2d/name.json: disk full; free it")
        node.run()
        report = node.service.report()
        self.assertEqual(
            (report.plan.code, report.plan.reason),
            (
                "E2D-W09",
                "could not found a cluster of one member, fresh:"
                " /d/e2d/name.json: disk full; free it",
            ),
        )
        self.assertEqual(node.server.started, [])
        node.directory.full = None
        node.clock.advance(5.0)
        self.assertEqual(len(node.server.started), 1)

    def test_a_full_disk_does_not_keep_a_member_from_its_data(self) -> None:
        """Etcd restarts on a full disk; that nothing could be written is shown."""
        node = self.node()
        node.directory.data = node.holds
        node.directory.full = DataDirectoryError("/d/e2d/member.json: disk full")
        node.run()
        self.assertEqual(node.server.started[0].state, InitialState.EXISTING)
        warnings = " ".join(node.service.report().warnings)
        self.assertIn("/d/e2d/member.json: disk full", warnings)

    def test_what_lives_here_is_on_record_before_it_is_started(self) -> None:
        """A2: lost data of a cluster that others founded is not a new machine."""
        node = self.node()
        node.directory.data = node.holds
        node.server.on_start = lambda _start: self.assertTrue(node.directory.lived)
        node.run()
        self.assertEqual(len(node.server.started), 1)
        node.directory.lose_member()
        node.server.fail(retry_in=0.0)
        node.turn()
        self.assertEqual(node.service.report().plan.code, "E2D-H03")

    def test_an_abandoned_turn_is_told(self) -> None:
        """A defect is not silent: status names it, and how to report it."""
        node = self.node()
        node.server.on_start = defect
        node.run()
        self.flushLoggedErrors(ZeroDivisionError)
        self.assertEqual(node.service.report().plan.code, "E2D-W10")

    def test_a_disk_that_cannot_be_read_is_no_defect(self) -> None:
        """It is said to be what it is, and what runs there is adopted once it can."""
        node = self.node()
        node.directory.data = node.holds
        node.server.left_behind = Serving(pid=7, since=0.0)
        node.directory.failure = DataDirectoryError("/d: Input/output error; see dmesg")
        node.run()
        report = node.service.report()
        self.assertEqual(
            (report.plan.code, report.plan.reason, report.loop.failures),
            ("E2D-H02", "/d: Input/output error; see dmesg", 0),
        )
        node.directory.failure = None
        node.clock.advance(5.0)
        self.assertTrue(node.service.report().child.adopted)
        self.assertEqual(node.server.started, [])

    def test_nothing_is_adopted_beside_what_runs(self) -> None:
        """An etcd that could be started after all is the one that is looked after."""
        node = self.node()
        node.directory.data = node.holds
        node.directory.failure = DataDirectoryError("/d: Input/output error; see dmesg")
        node.run()
        node.directory.failure = None
        node.server.left_behind = Serving(pid=7, since=0.0)
        start = EtcdStart(name=FRESH, peers=(), token="", state=InitialState.EXISTING)
        self.successResultOf(Deferred.fromCoroutine(node.server.start(start)))
        node.turn()
        self.assertIsInstance(node.server.state(), Starting)

    def test_a_loop_that_broke_does_not_tell_of_etcd(self) -> None:
        """Once nothing is looked at any more, nothing is said to be ready."""
        node = self.node()
        node.run()
        node.server.serve()
        node.turn()
        self.assertTrue(node.service.report().ready)
        node.clock.rightNow += 36.0
        report = node.service.report()
        self.assertFalse(report.ready)
        self.assertFalse(report.safe_to_stop)

    def test_decisions_are_kept_once_each(self) -> None:
        """What repeats itself is one decision, with its facts and its outcome."""
        node = self.node()
        node.run()
        node.server.serve()
        node.turn()
        for _ in range(20):
            node.clock.advance(5.0)
        decisions = node.service.decisions()
        self.assertEqual(
            [decision.plan.kind for decision in decisions],
            ["acting", "wait", "acting", "content"],
        )
        self.assertEqual(decisions[0].outcome, "done")
        self.assertIn("data directory: empty", decisions[0].observation)

    def test_new_peer_address(self) -> None:
        """Etcd's member list is told of a changed peer address, once."""
        node = self.node(Policy(required_size=1, peer_url="http://new:2380"))
        node.run()
        node.server.serve()
        node.turn()
        node.clock.advance(5.0)
        (member,) = node.service.report().cluster.members
        self.assertEqual(member.peer_urls, ("http://new:2380",))
        self.assertEqual(node.service.report().plan.kind, "content")

    def test_new_peer_address_of_a_member_with_company(self) -> None:
        """Whoever joined since the decision must not be cut off from this member."""
        node = self.node()
        node.run()
        node.server.serve()
        node.turn()
        node.clock.advance(10.0)
        joined = node.client.add_learner(["http://other:2380"])
        self.successResultOf(Deferred.fromCoroutine(joined))
        step = UpdatePeerURL(member_id=node.etcd.member_id, peer_url="http://x:2380")
        plan = Plan(steps=(step,), reason="", look_again=5.0)
        acting = Deferred.fromCoroutine(node.actor.perform(plan))
        failure = self.failureResultOf(acting, StepFailed)
        self.assertIn("no longer the only one", str(failure.value))

    def test_a_long_wait_is_said_once(self) -> None:
        """Seconds that pass are no news: one line in the log, one decision."""
        events: list[LogEvent] = []
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        globalLogPublisher.addObserver(events.append)
        node = self.node()
        node.run()
        for _ in range(20):
            node.clock.advance(5.0)
        waits = [event for event in events if event.get("code") == "E2D-W01"]
        self.assertEqual([event["log_level"] for event in waits], [LogLevel.info])
        decided = [each.plan.code for each in node.service.decisions()]
        self.assertEqual(decided, [None, "E2D-W01"])
        self.assertIn("100 s", node.service.report().plan.reason)

    def test_data_that_vanishes_under_etcd_is_told(self) -> None:
        """Writes into deleted files are not called well, nor is anything restarted."""
        node = self.node()
        node.run()
        node.server.serve()
        node.turn()
        node.directory.lose_member()
        node.clock.advance(5.0)
        self.assertEqual(node.service.report().plan.code, "E2D-H10")
        self.assertEqual((len(node.server.started), node.server.stops), (1, 0))

    def test_lost_quorum_is_told(self) -> None:
        """A member list that nobody proved is not shown as one."""
        node = self.node()
        node.run()
        node.server.serve()
        node.turn()
        node.cluster.stop(node.etcd.member_id)
        node.clock.advance(5.0)
        report = node.service.report()
        self.assertFalse(report.ready)
        self.assertIsNone(report.cluster.members)
        self.assertEqual(report.plan.code, "E2D-W04")

    def test_denied_is_told(self) -> None:
        """B15: an etcd that serves and lets e2d ask nothing is ready, and W11."""
        node = self.node()
        node.run()
        node.server.serve()
        node.turn()
        words = "etcdserver: permission denied"
        node.client.denial = EtcdDenied("PERMISSION_DENIED", words)
        node.clock.advance(5.0)
        report = node.service.report()
        self.assertEqual(
            (report.plan.code, report.cluster.denied, report.ready),
            ("E2D-W11", words, True),
        )
        self.assertIn(
            f"etcd refused: {words}", node.service.decisions()[-1].observation
        )

    def test_alive_while_turns_end(self) -> None:
        """The watchdog's question: yes while turns come, no once they are overdue."""
        node = self.node()
        node.run()
        self.assertTrue(node.service.alive())
        node.clock.rightNow += 36.0
        self.assertFalse(node.service.alive())
        self.assertIn("31 s late", node.service.report().loop.problem or "")

    def test_alive_while_turns_fail(self) -> None:
        """B1: the watchdog has no quarrel with turns that fail; /healthz has."""
        node = self.node()
        node.server.on_start = defect
        node.run()
        for _ in range(60):
            node.clock.advance(1.0)
        self.flushLoggedErrors(ZeroDivisionError)
        self.assertTrue(node.service.alive())
        self.assertEqual(
            node.service.report().loop.problem,
            "every turn of the loop has failed for 60 s:"
            " ZeroDivisionError: nobody thought of it",
        )
        node.server.on_start = node.executed
        node.clock.advance(1.0)
        self.assertIsNone(node.service.report().loop.problem)

    def test_a_removed_member_is_left_alone(self) -> None:
        """A removed id never comes back, however long one waits."""
        node = self.node()
        node.directory.data = node.holds
        node.run()
        node.server.fail(ProblemKind.MEMBER_REMOVED)
        node.turn()
        for _ in range(10):
            node.clock.advance(5.0)
        self.assertEqual(len(node.server.started), 1)
        self.assertEqual(node.service.report().plan.code, "E2D-H08")


class BornPausedTests(SynchronousTestCase):
    """``recovery.observe``."""

    def test_resume(self) -> None:
        """What ends is the pause that the node was born with."""
        node = OneNode(Policy(required_size=1, peer_url=URL, observe=True))
        node.run()
        self.addCleanup(node.service.stopService)
        ended = self.successResultOf(
            Deferred.fromCoroutine(node.service.resume("uid 0"))
        )
        assert ended is not None
        self.assertEqual((ended.by, ended.until_at.year), ("recovery.observe", 9999))
        node.turn()
        self.assertEqual(len(node.server.started), 1)


class ControlTests(SynchronousTestCase):
    """What a person tells the daemon."""

    def test_restart_ends_what_was_decided_before(self) -> None:
        """Once etcd is stopped nobody is told that e2d halts for it."""
        node = OneNode()
        node.directory.data = node.holds
        moved = Elsewhere(client_url="http://10.0.0.1:4001", peer_url=None)
        node.server.left_behind = Starting(pid=7, since=0.0, elsewhere=moved)
        node.run()
        self.assertEqual(node.service.report().plan.code, "E2D-H12")
        self.assertEqual(node.service.report().child.client_url, "http://10.0.0.1:4001")
        self.successResultOf(Deferred.fromCoroutine(node.service.restart_etcd("uid 0")))
        self.assertEqual(node.service.report().plan.kind, "acting")
        self.successResultOf(node.service.stopService())

    def setUp(self) -> None:
        """A node, paused before its first turn."""
        self.node = OneNode()
        self.pause = Pause(until_at=START + timedelta(hours=1), by="uid 0", reason="r")
        self.node.directory.recorded_pause = self.pause
        self.node.run()
        self.addCleanup(self.node.service.stopService)

    def resume(self) -> Pause | None:
        """What is said to have been ended."""
        resuming = Deferred.fromCoroutine(self.node.service.resume("uid 0"))
        return self.successResultOf(resuming)

    def test_a_pause_founds_nothing(self) -> None:
        """B14: it is on disk, so it holds from the first turn on, and is shown."""
        self.assertEqual(self.node.server.started, [])
        report = self.node.service.report()
        self.assertEqual((report.plan.code, report.pause), ("E2D-W07", self.pause))

    def test_resume_founds(self) -> None:
        """Resuming takes effect at once."""
        self.resume()
        self.node.turn()
        self.assertEqual(len(self.node.server.started), 1)
        self.assertIsNone(self.node.service.report().pause)

    def test_resume_tells_what_it_ended(self) -> None:
        """The pause that was in force; and none, once there is none."""
        self.assertEqual(self.resume(), self.pause)
        self.assertIsNone(self.resume())

    def test_resume_tells_of_a_pause_just_made(self) -> None:
        """Even of one that no turn has seen yet."""
        self.resume()
        fresh = Pause(until_at=START + timedelta(hours=2), by="uid 1000")
        self.successResultOf(Deferred.fromCoroutine(self.node.service.pause(fresh)))
        self.assertEqual(self.resume(), fresh)

    def test_resume_after_the_end(self) -> None:
        """A pause that was over by itself is not ended, and nothing is written."""
        self.node.clock.advance(3600.0)
        self.node.directory.full = DataDirectoryError("/d: disk full")
        self.assertIsNone(self.resume())

    def test_restart_stops_and_the_loop_starts(self) -> None:
        """A restart is a stop; the loop does the rest, on the data."""
        self.resume()
        self.node.turn()
        self.node.server.serve()
        self.node.turn()
        self.successResultOf(
            Deferred.fromCoroutine(self.node.service.restart_etcd("uid 0"))
        )
        self.node.turn()
        self.assertEqual(self.node.server.stops, 1)
        self.assertEqual(self.node.server.started[1].state, InitialState.EXISTING)

    def test_restart_forgives_failures(self) -> None:
        """After many failures a person need not wait for the backoff."""
        self.node.directory.data = self.node.holds
        self.node.clock.advance(5.0)
        self.node.server.fail(retry_in=300.0, gave_up=True)
        self.node.turn()
        self.successResultOf(
            Deferred.fromCoroutine(self.node.service.restart_etcd("uid 0"))
        )
        self.node.turn()
        self.assertEqual(len(self.node.server.started), 2)


class RingTests(SynchronousTestCase):
    """What is told of the gossip ring."""

    def setUp(self) -> None:
        """A node that has looked once."""
        self.node = OneNode(gossips=True)
        self.addCleanup(self.node.service.stopService)
        self.node.run()

    def test_no_ring(self) -> None:
        """A node that takes part in none says so: not "in an empty one"."""
        self.assertIsNone(OneNode().service.report().ring)

    def test_ring(self) -> None:
        """The report is of the ring as it is when asked, seen from this node."""
        assert self.node.membership is not None
        self.node.membership.announce(announcement(FRESH))
        self.node.ring.make_node().announce(announcement("n2", number=2))
        self.node.clock.advance(3.0)
        ring = self.node.service.report().ring
        assert ring is not None and ring.members is not None
        told = [(each.name, each.local, each.for_seconds) for each in ring.members]
        self.assertEqual(told, [(FRESH, True, 3.0), ("n2", False, 3.0)])
        self.assertEqual([each.own_cluster for each in ring.members], [True, True])

    def test_problem(self) -> None:
        """That it cannot gossip is a warning, and hinders nothing else."""
        assert self.node.membership is not None
        self.node.membership.hinder("gossip cannot listen: free the port")
        report = self.node.service.report()
        self.assertIn("gossip cannot listen: free the port", report.warnings)
        self.assertIsNone(report.loop.problem)
