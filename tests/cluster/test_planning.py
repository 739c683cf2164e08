"""Tests of `e2d.cluster.planning`."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.cluster.observation import Observation
from e2d.cluster.planning import plan, safe_to_stop
from e2d.cluster.policy import Policy
from e2d.cluster.reasons import Code
from e2d.cluster.steps import (
    FinishSwap,
    Halt,
    RecordMember,
    RestartMember,
    StartCluster,
    Step,
    UpdatePeerURL,
    Wait,
)
from e2d.model import (
    Absent,
    Address,
    ChildState,
    DataState,
    Elsewhere,
    Empty,
    EtcdRole,
    Lost,
    MemberID,
    ProblemKind,
    Starting,
    Stopping,
    Swapping,
    Unborn,
    Unreadable,
)
from tests.cluster.builders import (
    ALONE,
    FOUNDING,
    HOLDS,
    LOOK,
    MARK,
    MEMBER,
    MISSING,
    NAME,
    NOON,
    ORIGINAL,
    PAUSE,
    SERVING,
    STATUS,
    STRANGER,
    URL,
    WELL,
    failed,
    member,
)


def step(observation: Observation, policy: Policy = ALONE) -> Step:
    """The one step that is planned."""
    (only,) = plan(observation, policy).steps
    return only


def code(observation: Observation, policy: Policy = ALONE) -> Code:
    """The code of the Wait or Halt that is planned."""
    only = step(observation, policy)
    assert isinstance(only, Wait | Halt), only
    return only.code


def with_data(data: DataState) -> Observation:
    """Nothing runs, and the disk is so."""
    return evolve(LOOK, data=data)


RESTART = RestartMember(name=NAME, member_id=MemberID(0xA1))
FOUND = StartCluster(name=NAME, peer_url=URL, founding=None)


class StartingTests(SynchronousTestCase):
    """Nothing runs: what the disk says decides."""

    def test_empty_founds(self) -> None:
        """An empty directory of a node alone founds a cluster of one."""
        self.assertEqual(step(with_data(Empty())), FOUND)

    def test_data_is_restarted(self) -> None:
        """A member's data is started as that member."""
        self.assertEqual(step(with_data(HOLDS)), RESTART)

    def test_data_is_restarted_at_any_size(self) -> None:
        """Data is started whatever size is wanted (B4: never wait for the size)."""
        self.assertEqual(
            step(with_data(HOLDS), evolve(ALONE, required_size=5)), RESTART
        )

    def test_data_is_restarted_with_a_store(self) -> None:
        """W-01: data is started although a store may hold a snapshot."""
        policy = evolve(ALONE, store="snapshot.file s3://b/")
        self.assertEqual(step(with_data(HOLDS), policy), RESTART)

    def test_data_is_restarted_while_paused(self) -> None:
        """B14: a pause does not keep a member from its own data."""
        self.assertEqual(step(evolve(with_data(HOLDS), pause=PAUSE)), RESTART)

    def test_unborn_continues_its_founding(self) -> None:
        """A founding that etcd never wrote a log for is continued, not made anew."""
        self.assertEqual(
            step(with_data(Unborn(founding=FOUNDING))),
            StartCluster(name=NAME, peer_url=URL, founding=FOUNDING),
        )

    def test_lost_never_founds(self) -> None:
        """A2: data that was here and is gone calls a person."""
        self.assertEqual(code(with_data(Lost(founding=FOUNDING))), Code.LOST)

    def test_unreadable_never_founds(self) -> None:
        """Data that cannot be understood calls a person, with its path."""
        only = step(with_data(Unreadable(reason="/d/member/wal: bad CRC")))
        self.assertEqual(
            only,
            Halt(
                code=Code.UNREADABLE,
                reason="/d/member/wal: bad CRC",
                remedy="do what the message says; nothing is started or deleted"
                " meanwhile, and e2d goes on by itself",
            ),
        )

    def test_missing_waits_for_the_mount(self) -> None:
        """A8: an empty directory that held a member waits for its disk."""
        self.assertEqual(code(with_data(MISSING)), Code.NOT_MOUNTED)

    def test_missing_calls_a_person_after_ten_minutes(self) -> None:
        """A8: a disk that does not come back is a person's decision."""
        late = evolve(with_data(MISSING), now=100.0 + 600.0)
        self.assertEqual(code(late), Code.STILL_NOT_MOUNTED)

    def test_a_swap_is_finished_first(self) -> None:
        """A14: an intent on disk comes before anything else."""
        self.assertEqual(
            step(with_data(Swapping(intent="aside/1"))),
            FinishSwap(),
        )

    def test_unread_data_decides_nothing(self) -> None:
        """A directory that was not examined is not an empty one."""
        self.assertEqual(code(LOOK), Code.DATA_NOT_READ)


class FoundingTests(SynchronousTestCase):
    """When an empty directory may not found."""

    def test_not_at_size_three(self) -> None:
        """More than one node is never founded by one."""
        policy = evolve(ALONE, required_size=3)
        self.assertEqual(code(with_data(Empty()), policy), Code.SIZE_NOT_SUPPORTED)

    def test_not_beside_a_store(self) -> None:
        """A6: a store that was not asked may hold this cluster's snapshots."""
        policy = evolve(ALONE, store="snapshot.file s3://b/")
        self.assertEqual(code(with_data(Empty()), policy), Code.STORE_NOT_ASKED)

    def test_not_beside_unheard_peers(self) -> None:
        """A10: seeds that were not listened to may hold this cluster."""
        policy = evolve(ALONE, listens_for=("discovery.initialPeers",))
        self.assertEqual(code(with_data(Empty()), policy), Code.LISTENING)

    def test_not_while_paused(self) -> None:
        """B14: a pause forbids founding."""
        self.assertEqual(code(evolve(with_data(Empty()), pause=PAUSE)), Code.PAUSED)

    def test_again_after_the_pause(self) -> None:
        """A pause ends by itself."""
        over = evolve(with_data(Empty()), pause=PAUSE, now_at=PAUSE.until_at)
        self.assertEqual(step(over), FOUND)

    def test_not_where_a_snapshot_is_required(self) -> None:
        """A6: ``recovery.requireSnapshot`` never founds an empty cluster."""
        policy = evolve(ALONE, require_snapshot=True)
        self.assertEqual(code(with_data(Empty()), policy), Code.SNAPSHOT_REQUIRED)

    def test_observers_are_born_paused(self) -> None:
        """B14: with ``recovery.observe`` nothing is founded before a person resumes."""
        policy = evolve(ALONE, observe=True)
        self.assertEqual(code(with_data(Empty()), policy), Code.PAUSED)
        resumed = evolve(with_data(Empty()), pause=evolve(PAUSE, until_at=NOON))
        self.assertEqual(step(resumed, policy), FOUND)

    def test_unborn_obeys_the_same_rules(self) -> None:
        """A founding cut short is not continued once a store is configured."""
        policy = evolve(ALONE, store="snapshot.file s3://b/")
        unborn = with_data(Unborn(founding=FOUNDING))
        self.assertEqual(code(unborn, policy), Code.STORE_NOT_ASKED)


class FailureTests(SynchronousTestCase):
    """etcd ended without being asked to."""

    def test_waits_for_the_backoff(self) -> None:
        """No start before its time, and the next look is exactly then."""
        observation = evolve(with_data(HOLDS), child=failed(retry_at=101.5))
        self.assertEqual(code(observation), Code.BACKING_OFF)
        self.assertEqual(plan(observation, ALONE).look_again, 1.5)

    def test_starts_when_due(self) -> None:
        """At its time the member is started again."""
        due = evolve(with_data(HOLDS), child=failed(retry_at=100.0))
        self.assertEqual(step(due), RESTART)

    def test_giving_up_is_visible(self) -> None:
        """After many failures a person is called, with etcd's own reason."""
        many = failed(12, retry_at=400.0, gave_up=True)
        only = step(evolve(with_data(HOLDS), child=many))
        self.assertEqual(
            only,
            Halt(
                code=Code.GAVE_UP,
                reason="etcd failed 12 times in a row: port 2379 is in use",
                remedy="free it",
            ),
        )

    def test_giving_up_still_recovers(self) -> None:
        """Even then it is started again when its time has come."""
        many = failed(12, retry_at=100.0, gave_up=True)
        self.assertEqual(step(evolve(with_data(HOLDS), child=many)), RESTART)

    def test_a_removed_member_is_not_restarted(self) -> None:
        """A removed id never comes back: no start, however often it is due."""
        removed = failed(retry_at=0.0, kind=ProblemKind.MEMBER_REMOVED)
        self.assertEqual(
            code(evolve(with_data(HOLDS), child=removed)), Code.MEMBER_REMOVED
        )


DENIED = evolve(
    WELL, members=None, alarms=None, denied="user name is empty", list_denied=True
)


class RunningTests(SynchronousTestCase):
    """etcd runs."""

    def test_content(self) -> None:
        """All is well: nothing to do, look again in a few seconds."""
        self.assertEqual(plan(WELL, ALONE).steps, ())
        self.assertEqual(plan(WELL, ALONE).look_again, 5.0)

    def test_records_the_member_once_it_serves(self) -> None:
        """The first time it serves, the disk is told which member it holds."""
        self.assertEqual(
            step(evolve(WELL, recorded=False)), RecordMember(member_id=MemberID(0xA1))
        )

    def test_new_peer_address(self) -> None:
        """The member list is told where a member that is alone is reached now."""
        moved = evolve(WELL, members=(evolve(MEMBER, peer_urls=("http://old:1",)),))
        self.assertEqual(
            step(moved), UpdatePeerURL(member_id=MemberID(0xA1), peer_url=URL)
        )

    def test_peer_address_that_is_not_listened_on(self) -> None:
        """Before the restart that brings etcd there, the list says what is so."""
        old = Elsewhere(client_url=None, peer_url="http://old:1")
        moved = evolve(
            WELL,
            child=evolve(SERVING, elsewhere=old),
            members=(evolve(MEMBER, peer_urls=("http://old:1",)),),
        )
        self.assertEqual(plan(moved, ALONE).steps, ())

    def test_peer_address_left_alone(self) -> None:
        """Not while paused, never for a learner, and not in a larger cluster."""
        moved = evolve(MEMBER, peer_urls=("http://old:1",))
        learner = evolve(moved, role=EtcdRole.LEARNER)
        other = evolve(MEMBER, member_id=MemberID(0xA2))
        for each in (
            evolve(WELL, members=(moved,), pause=PAUSE),
            evolve(WELL, members=(learner,)),
            evolve(WELL, members=(moved, other)),
        ):
            self.assertEqual(plan(each, ALONE).steps, ())

    def test_starting_waits(self) -> None:
        """A slow start is waited for, never killed."""
        slow = evolve(LOOK, child=Starting(pid=7, since=10.0), now=10_000.0)
        self.assertEqual(code(slow), Code.STARTING)

    def test_found_and_mute(self) -> None:
        """What was found running and says nothing for long is not starting."""
        found = Starting(pid=7, since=10.0, adopted=True)
        self.assertEqual(code(evolve(LOOK, child=found, now=39.0)), Code.STARTING)
        said = step(evolve(LOOK, child=found, now=40.0))
        self.assertEqual(said.code, Code.NOT_ANSWERING)
        self.assertIn("disk", said.remedy)

    def test_elsewhere_is_said(self) -> None:
        """An etcd that nobody will find where clients are sent is not starting."""
        moved = Elsewhere(client_url="http://10.0.0.1:4001", peer_url=None)
        found = Starting(pid=7, since=10.0, adopted=True, elsewhere=moved)
        said = step(evolve(LOOK, child=found))
        self.assertEqual(said.code, Code.ELSEWHERE)
        self.assertIn("clients at http://10.0.0.1:4001,", said.reason)
        self.assertIn("e2d restart", said.remedy)

    def test_slow_with_other_peers(self) -> None:
        """Where peers are does not keep clients from being served."""
        moved = Elsewhere(client_url=None, peer_url="http://10.0.0.1:7001")
        found = Starting(pid=7, since=99.0, adopted=True, elsewhere=moved)
        self.assertEqual(code(evolve(LOOK, child=found)), Code.STARTING)

    def test_stopping_waits(self) -> None:
        """Nothing is started while etcd ends."""
        self.assertEqual(
            code(evolve(LOOK, child=Stopping(pid=7, since=99.0))), Code.STOPPING
        )

    def test_no_answer_is_said(self) -> None:
        """A process that runs and does not answer is not called serving."""
        self.assertEqual(
            code(evolve(WELL, child=evolve(SERVING, answering=False))),
            Code.NOT_ANSWERING,
        )
        self.assertEqual(code(evolve(WELL, status=None)), Code.NOT_ANSWERING)

    def test_no_quorum_is_said(self) -> None:
        """A member that answers without quorum is not called well."""
        self.assertEqual(code(evolve(WELL, members=None)), Code.NO_QUORUM)

    def test_a_learner_is_not_lost_quorum(self) -> None:
        """A learner refuses to list the members, whatever the majority does."""
        learner = evolve(
            WELL, members=None, status=evolve(STATUS, role=EtcdRole.LEARNER)
        )
        self.assertEqual(code(learner), Code.LEARNER)

    def test_being_denied_is_not_lost_quorum(self) -> None:
        """B15: etcd that serves and refuses is said to refuse, in its own words."""
        self.assertEqual(code(DENIED), Code.DENIED)
        self.assertIn("user name is empty", plan(DENIED, ALONE).reason)

    def test_being_denied_everything(self) -> None:
        """Where etcd does not even tell who it is, it is not said to be silent."""
        self.assertEqual(code(evolve(DENIED, status=None)), Code.DENIED)

    def test_being_denied_something(self) -> None:
        """One right that lacks is said even though the members are known."""
        self.assertEqual(code(evolve(WELL, denied="permission denied")), Code.DENIED)

    def test_being_denied_without_quorum(self) -> None:
        """Lost quorum is worse."""
        alone = evolve(DENIED, list_denied=False)
        self.assertEqual(code(alone), Code.NO_QUORUM)

    def test_being_denied_is_recorded_first(self) -> None:
        """A2: what lives here is on record, whatever else etcd refuses."""
        self.assertEqual(
            step(evolve(DENIED, recorded=False)), RecordMember(member_id=MemberID(0xA1))
        )

    def test_a_full_database_is_said(self) -> None:
        """A cluster that takes no writes is not called well; who says so is said."""
        full = evolve(WELL, alarms=(("a1", "NOSPACE"),))
        self.assertEqual(code(full), Code.NO_SPACE)
        self.assertEqual(
            plan(full, ALONE).reason,
            "etcd takes no writes, its database has reached its quota (alarm NOSPACE of"
            " a1)",
        )

    def test_corruption_is_said(self) -> None:
        """A person has to say whose data is right, whatever else there is."""
        alarms = (("a1", "NOSPACE"), ("b2", "CORRUPT"), ("c3", "CORRUPT"))
        corrupt = evolve(WELL, alarms=alarms)
        self.assertEqual(code(corrupt), Code.CORRUPT)
        self.assertIn("(alarm CORRUPT of b2, c3)", plan(corrupt, ALONE).reason)

    def test_an_unknown_alarm_is_no_reason(self) -> None:
        """What this version does not know stops nothing; the status shows it."""
        self.assertEqual(plan(evolve(WELL, alarms=(("a1", "X"),)), ALONE).steps, ())

    def test_no_answer_about_alarms_is_no_alarm(self) -> None:
        """What is not known is not said."""
        self.assertEqual(plan(evolve(WELL, alarms=None), ALONE).steps, ())


class SafeToStopTests(SynchronousTestCase):
    """B9: may a script stop this node?"""

    def test_the_only_member_is_not(self) -> None:
        """Stopping the only member stops the cluster."""
        self.assertFalse(safe_to_stop(WELL))

    def test_a_learner_is(self) -> None:
        """A learner has no vote to take away."""
        learner = evolve(WELL, status=evolve(STATUS, role=EtcdRole.LEARNER))
        self.assertTrue(safe_to_stop(learner))

    def test_unknown_is_not(self) -> None:
        """What is not known is not safe."""
        self.assertFalse(safe_to_stop(LOOK))

    def test_alarmed_is_not(self) -> None:
        """What remains of a cluster in alarm serves no writes; nor if nobody knows."""
        learner = evolve(WELL, status=evolve(STATUS, role=EtcdRole.LEARNER))
        full = evolve(learner, alarms=(("a1", "NOSPACE"),))
        self.assertFalse(safe_to_stop(full))
        self.assertFalse(safe_to_stop(evolve(learner, alarms=None)))


DATA: list[DataState] = [
    Empty(),
    Unborn(founding=FOUNDING),
    Lost(founding=None),
    MISSING,
    HOLDS,
    Unreadable(reason="x"),
    Swapping(intent="x"),
]
CHILDREN: list[ChildState] = [
    Absent(),
    Starting(pid=1, since=0.0),
    SERVING,
    Stopping(pid=1, since=0.0),
    failed(retry_at=0.0),
    failed(retry_at=500.0),
]
OBSERVATIONS = st.builds(
    evolve,
    st.just(WELL),
    child=st.sampled_from(CHILDREN),
    data=st.none() | st.sampled_from(DATA),
    status=st.sampled_from([None, STATUS]),
    members=st.sampled_from([None, WELL.members]),
    recorded=st.booleans(),
    pause=st.sampled_from([None, PAUSE]),
    gossip=st.sampled_from([None, (), (member("n2"),), (ORIGINAL,), (STRANGER,)]),
    listening_since=st.sampled_from([None, 0.0, WELL.now]),
    unheard=st.sampled_from([(), (Address("10.0.0.7", 7980),)]),
)
POLICIES = st.builds(
    Policy,
    required_size=st.sampled_from([1, 3, 5]),
    peer_url=st.just(URL),
    listens_for=st.sampled_from([(), ("discovery.type",)]),
    cannot_ask=st.sampled_from([(), ("discovery.type dns",)]),
    compat=st.booleans(),
    cluster=st.just(MARK),
    store=st.sampled_from([None, "snapshot.file x"]),
)


class PropertyTests(SynchronousTestCase):
    """What holds for every observation."""

    @given(OBSERVATIONS, POLICIES)
    def test_only_empty_or_unborn_founds(
        self, observation: Observation, policy: Policy
    ) -> None:
        """Nothing is founded over anything that is, was, or may be data."""
        for each in plan(observation, policy).steps:
            if isinstance(each, StartCluster):
                self.assertIsInstance(observation.data, Empty | Unborn)
                self.assertEqual(policy.required_size, 1)
                self.assertIsNone(policy.store)
                self.assertEqual(policy.cannot_ask, ())

    @given(OBSERVATIONS, POLICIES)
    def test_nothing_is_founded_beside_others(
        self, observation: Observation, policy: Policy
    ) -> None:
        """A10, C5: neither beside others of this cluster, nor beside originals."""
        for each in plan(observation, policy).steps:
            if isinstance(each, StartCluster):
                self.assertIn(observation.gossip, [None, (), (STRANGER,)])
                if policy.compat or policy.listens_for:
                    self.assertEqual(observation.listening_since, 0.0)
                    self.assertIsNotNone(observation.gossip)

    @given(OBSERVATIONS, POLICIES)
    def test_nothing_starts_beside_a_running_etcd(
        self, observation: Observation, policy: Policy
    ) -> None:
        """Never two etcds on one directory."""
        for each in plan(observation, policy).steps:
            if isinstance(each, StartCluster | RestartMember):
                self.assertNotIsInstance(
                    observation.child, Starting | type(SERVING) | Stopping
                )

    @given(OBSERVATIONS, POLICIES)
    def test_usable_data_is_never_left_lying(
        self, observation: Observation, policy: Policy
    ) -> None:
        """Whatever the policy, data that nobody runs on is started when it is due."""
        if observation.data == HOLDS and isinstance(observation.child, Absent):
            self.assertEqual(plan(observation, policy).steps, (RESTART,))

    @given(OBSERVATIONS, POLICIES)
    def test_it_always_looks_again(
        self, observation: Observation, policy: Policy
    ) -> None:
        """No plan ends the loop, and none makes it spin."""
        self.assertTrue(0.0 < plan(observation, policy).look_again <= 5.0)
