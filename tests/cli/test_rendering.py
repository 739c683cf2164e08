"""Tests of `e2d.cli.rendering`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from textwrap import dedent
from typing import Any

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.api.documents import decisions_document, status_document
from e2d.cli.rendering import (
    Tone,
    decision_lines,
    mentioning,
    resumed,
    status_lines,
)
from e2d.cluster.report import Decision, PlanReport, Report
from e2d.model import MemberID, Pause, Rank
from e2d.testing.daemon import (
    failed_report,
    gossiping_report,
    ring_member,
    serving_report,
    starting_report,
)


def as_json(report: Report) -> dict[str, Any]:
    """What a command gets."""
    document: dict[str, Any] = json.loads(json.dumps(status_document(report)))
    return document


def shown(report: Report) -> str:
    """The status as it is printed."""
    return "\n".join(line.text for line in status_lines(as_json(report))) + "\n"


def first(report: Report) -> str:
    """The verdict."""
    return status_lines(as_json(report))[0].text


class StatusTests(SynchronousTestCase):
    """`status_lines`, letter by letter."""

    maxDiff = None

    def assert_shown(self, report: Report, expected: str) -> None:
        """The whole status."""
        self.assertEqual(shown(report), dedent(expected))

    def test_serving(self) -> None:
        """A single node that serves says so, with its id and revision."""
        self.assert_shown(
            serving_report(),
            """\
            serving: single member n1 (8e9e05c52164694d), leader, revision 12

            node      n1 in cluster e2d, up 2 m 11 s
                      e2d 0.1.0, pid 4242
                      configuration /etc/e2d/config.yaml
                      control socket /run/e2d/e2d.sock
            data      /var/lib/e2d: holds member 8e9e05c52164694d
            etcd      3.5.16, serving for 2 m 10 s, pid 4243, 1 start
                      clients http://127.0.0.1:2379, peers http://127.0.0.1:2380
            members   8e9e05c52164694d n1 voter leader
            database  20.5 kB, 16.4 kB in use; raft term 2, index 15
            alarms    none
            loop      content: etcd serves with quorum
                      looks again in 5 s
            stop      not safe: no serving majority is known to remain without this node
            """,
        )

    def test_gossiping(self) -> None:
        """A node in a ring says who is missing from it."""
        report = gossiping_report(ring_member("n2", Rank.SUSPECT, 4.0))
        self.assertIn(
            dedent(
                """\
                alarms    none
                gossip    1 alive, 1 suspect; encrypted
                          suspect: n2 (10.0.0.2:7980) for 4 s
                loop      content: etcd serves with quorum
                """
            ),
            shown(report),
        )

    def test_starting(self) -> None:
        """A node that starts says for how long."""
        self.assert_shown(
            starting_report(),
            """\
            NOT serving (E2D-W01): etcd has been starting for 3 s and does not serve yet

            node      n1 in cluster e2d, up 2 m 11 s
                      e2d 0.1.0, pid 4242
                      configuration /etc/e2d/config.yaml
                      control socket /run/e2d/e2d.sock
            data      /var/lib/e2d: not read while etcd runs
            etcd      version not known yet, starting for 3 s, pid 4243, 1 start
                      clients http://127.0.0.1:2379, peers http://127.0.0.1:2380
            members   not known: no quorum proved the list
            alarms    not known
            loop      wait (E2D-W01): etcd has been starting for 3 s and does not serve yet
                      looks again in 1 s
            stop      not safe: no serving majority is known to remain without this node
            """,  # noqa: E501 - as wide as the terminal
        )

    def test_failed(self) -> None:
        """A failed start says why, what to do, and when the next one comes."""
        self.assert_shown(
            failed_report(),
            """\
            NOT serving (E2D-W03): 127.0.0.1:2379 is in use by another process
            do:       stop that process or change clientAddr
            then:     next try in 4 s
            see:      the runbook's page E2D-W03

            node      n1 in cluster e2d, up 2 m 11 s
                      e2d 0.1.0, pid 4242
                      configuration /etc/e2d/config.yaml
                      control socket /run/e2d/e2d.sock
            data      /var/lib/e2d: empty
            etcd      3.5.16, not running, failed 2 times in a row, 2 starts
                      clients http://127.0.0.1:2379, peers http://127.0.0.1:2380
            members   not known: no quorum proved the list
            alarms    not known
            loop      wait (E2D-W03): 127.0.0.1:2379 is in use by another process
                      looks again in 4 s
            stop      not safe: no serving majority is known to remain without this node
            """,
        )

    def test_gave_up(self) -> None:
        """A node that gave up is halted, and still says when it tries again."""
        failed = failed_report()
        child = evolve(failed.child, failures_in_a_row=10, retry_in_seconds=300.0)
        plan = evolve(
            failed.plan,
            kind="halt",
            code="E2D-H01",
            reason="etcd failed 10 times in a row: 127.0.0.1:2379 is in use by another"
            " process",
        )
        lines = shown(evolve(failed, child=child, plan=plan)).splitlines()
        self.assertEqual(
            lines[:5],
            [
                "NOT serving, halted (E2D-H01): etcd failed 10 times in a row:"
                " 127.0.0.1:2379 is",
                "in use by another process",
                "do:       stop that process or change clientAddr",
                "then:     next try in 5 m",
                "see:      the runbook's page E2D-H01",
            ],
        )
        self.assertIn(
            "etcd      3.5.16, not running, failed 10 times in a row, 2 starts", lines
        )

    def test_halted(self) -> None:
        """A halt says what a person has to do, and that nothing happens before."""
        plan = PlanReport(
            kind="halt",
            code="E2D-H03",
            reason="etcd ran in this data directory and its member/ is gone",
            remedy="put member/ back, or move the whole data directory away",
            steps=(),
            look_again_seconds=5.0,
        )
        report = starting_report()
        child = evolve(report.child, state="absent", pid=None, for_seconds=None)
        lines = shown(evolve(report, child=child, plan=plan)).splitlines()
        self.assertEqual(
            lines[:5],
            [
                "NOT serving, halted (E2D-H03): etcd ran in this data directory and its"
                " member/",
                "is gone",
                "do:       put member/ back, or move the whole data directory away",
                "then:     nothing happens until a person acts",
                "see:      the runbook's page E2D-H03",
            ],
        )

    def test_no_quorum(self) -> None:
        """A member that answers without quorum does not serve."""
        report = serving_report()
        plan = PlanReport(
            kind="wait",
            code="E2D-W05",
            reason="this member answers, a majority of the voters does not",
            remedy="start the other members",
            steps=(),
            look_again_seconds=5.0,
        )
        cluster = evolve(report.cluster, members=None)
        lines = shown(evolve(report, cluster=cluster, plan=plan)).splitlines()
        self.assertEqual(
            lines[:2],
            [
                "NOT serving (E2D-W05): this member answers, a majority of the voters"
                " does not",
                "do:       start the other members",
            ],
        )
        self.assertIn("members   not known: no quorum proved the list", lines)

    def test_paused(self) -> None:
        """A pause is shown with what is left of it, who asked and why."""
        pause = Pause(
            until_at=datetime(2026, 1, 2, 4, 0, tzinfo=UTC),
            by="uid 0",
            reason="new disk",
        )
        lines = shown(evolve(serving_report(), pause=pause)).splitlines()
        self.assertEqual(
            lines[-1],
            "paused    until 2026-01-02T04:00:00Z (55 m 55 s left) by uid 0: new disk",
        )

    def test_born_paused(self) -> None:
        """A pause that only a person ends is not shown with an end in 8000 years."""
        pause = Pause(until_at=datetime.max.replace(tzinfo=UTC), by="recovery.observe")
        lines = shown(evolve(serving_report(), pause=pause)).splitlines()
        self.assertEqual(
            lines[-1], "paused    until a person resumes, by recovery.observe"
        )

    def test_warning(self) -> None:
        """A warning of a known-bad version is shown on every status, wrapped."""
        warning = (
            "etcd 3.5.2 can corrupt data when it crashes under load: upgrade to 3.5.16"
            " or later"
        )
        lines = status_lines(as_json(evolve(serving_report(), warnings=(warning,))))
        self.assertEqual(
            [(line.text, line.tone) for line in lines[-2:]],
            [
                (
                    "warning   etcd 3.5.2 can corrupt data when it crashes under load:"
                    " upgrade to",
                    Tone.CAUTION,
                ),
                ("          3.5.16 or later", Tone.CAUTION),
            ],
        )

    def test_full(self) -> None:
        """A full database serves reads only: the verdict says so, and what to do."""
        report = serving_report()
        alarms = (("8e9e05c52164694d", "NOSPACE"),)
        plan = evolve(
            report.plan,
            kind="wait",
            code="E2D-W12",
            reason="etcd takes no writes (alarm NOSPACE)",
            remedy="make room",
        )
        cluster = evolve(report.cluster, alarms=alarms)
        report = evolve(report, cluster=cluster, plan=plan)
        lines = shown(report).splitlines()
        self.assertEqual(
            lines[:4],
            [
                "serving, but (E2D-W12): etcd takes no writes (alarm NOSPACE)",
                "do:       make room",
                "see:      the runbook's page E2D-W12",
                "",
            ],
        )
        self.assertEqual(status_lines(as_json(report))[0].tone, Tone.BAD)
        self.assertIn("alarms    NOSPACE of 8e9e05c52164694d", lines)
        self.assertIn("stop      not safe: etcd raised an alarm", lines)

    def test_serving_and_halted(self) -> None:
        """A halt is in the verdict even while etcd serves."""
        report = serving_report()
        plan = evolve(
            report.plan, kind="halt", code="E2D-H10", reason="gone", remedy="save"
        )
        self.assertEqual(
            shown(evolve(report, plan=plan)).splitlines()[:3],
            [
                "serving, but halted (E2D-H10): gone",
                "do:       save",
                "then:     nothing happens until a person acts",
            ],
        )

    def test_denied(self) -> None:
        """B15: to be denied is a verdict of its own, and no lost quorum."""
        report = serving_report()
        cluster = evolve(
            report.cluster,
            members=None,
            alarms=None,
            denied="etcdserver: user name is empty",
            list_denied=True,
        )
        plan = evolve(report.plan, code="E2D-W11", reason="denied", remedy="set it")
        lines = shown(evolve(report, cluster=cluster, plan=plan)).splitlines()
        self.assertEqual(
            lines[:2], ["serving, but (E2D-W11): denied", "do:       set it"]
        )
        self.assertIn(
            "members   not known: etcd refused: etcdserver: user name is empty", lines
        )

    def test_denied_before_it_is_on_record(self) -> None:
        """What is done first is shown as usual."""
        report = serving_report()
        cluster = evolve(report.cluster, members=None, denied="no", list_denied=True)
        self.assertEqual(
            first(evolve(report, cluster=cluster)),
            "serving: member n1 (8e9e05c52164694d), leader, revision 12",
        )

    def test_corrupt(self) -> None:
        """Data that differs serves nobody."""
        report = serving_report()
        cluster = evolve(report.cluster, alarms=(("8e9e05c52164694d", "CORRUPT"),))
        plan = evolve(
            report.plan, kind="halt", code="E2D-H11", reason="differs", remedy="save"
        )
        self.assertEqual(
            first(evolve(report, cluster=cluster, plan=plan)),
            "NOT serving, halted (E2D-H11): differs",
        )

    def test_follower(self) -> None:
        """A member of several names the leader that it follows."""
        report = serving_report()
        assert report.cluster.status is not None
        assert report.cluster.members is not None
        one = report.cluster.members[0]
        other = evolve(one, member_id=MemberID(0xA2), name="")
        cluster = evolve(
            report.cluster,
            members=(one, other),
            status=evolve(report.cluster.status, leader=MemberID(0xA2)),
        )
        report = evolve(report, cluster=cluster)
        self.assertEqual(
            first(report),
            "serving: member n1 of 2 (8e9e05c52164694d), follower of a2, revision 12",
        )
        self.assertIn("          a2 (not started) voter leader\n", shown(report))

    def test_failing_loop(self) -> None:
        """A loop that fails or hangs is told."""
        report = serving_report()
        loop = evolve(report.loop, failures=1, last_success_age_seconds=65.0)
        lines = shown(evolve(report, loop=loop))
        self.assertIn("          1 turn of 27 failed\n", lines)
        self.assertIn("          last turned well 1 m 5 s ago\n", lines)

    def test_broken_loop(self) -> None:
        """What a loop saw that does not turn any more is not told as a fact."""
        report = serving_report()
        problem = "every turn of the loop has failed for 60 s: OSError: [Errno 5]"
        lines = status_lines(
            as_json(evolve(report, loop=evolve(report.loop, problem=problem)))
        )
        self.assertEqual(
            [(line.text, line.tone) for line in lines[:3]],
            [
                (
                    "NOT KNOWN: every turn of the loop has failed for 60 s: OSError:"
                    " [Errno 5]",
                    Tone.BAD,
                ),
                (
                    "do:       look at e2d's log and at the disk; e2d can be restarted,"
                    " etcd runs on",
                    Tone.BAD,
                ),
                ("          meanwhile", Tone.BAD),
            ],
        )

    def test_escapes(self) -> None:
        """A name from elsewhere cannot write to the terminal."""
        report = serving_report()
        node = evolve(report.node, name="n1\x1b[2J\n")
        self.assertNotIn("\x1b", shown(evolve(report, node=node)))

    def test_other_version(self) -> None:
        """What is not a status is told apart from one."""
        self.assertRaises(KeyError, status_lines, {})

    def test_tones(self) -> None:
        """Serving is good, failing bad, and starting neither."""
        verdicts = [
            status_lines(as_json(report))[0].tone
            for report in (serving_report(), failed_report(), starting_report())
        ]
        self.assertEqual(verdicts, [Tone.GOOD, Tone.BAD, Tone.CAUTION])


class ResumedTests(SynchronousTestCase):
    """`resumed`."""

    def test_pause(self) -> None:
        """Whose it was, until when, and what for."""
        pause = {"until": "2026-01-02T04:00:00Z", "by": "uid 0", "reason": "disk"}
        self.assertEqual(
            resumed(pause), "ended the pause by uid 0 until 2026-01-02T04:00:00Z: disk"
        )

    def test_born_paused(self) -> None:
        """One without an end and a reason has neither."""
        pause = {
            "until": "9999-12-31T23:59:59Z",
            "by": "recovery.observe",
            "reason": "",
        }
        self.assertEqual(resumed(pause), "ended the pause by recovery.observe")

    def test_none(self) -> None:
        """Nothing was ended."""
        self.assertEqual(resumed(None), "there was no pause")


class DecisionTests(SynchronousTestCase):
    """`decision_lines` and `mentioning`."""

    def setUp(self) -> None:
        """Given two decisions."""
        founding = Decision(
            at=datetime(2026, 1, 2, 3, 1, 55, tzinfo=UTC),
            plan=PlanReport(
                kind="acting",
                code=None,
                reason="etcd is to run here",
                remedy=None,
                steps=("start a new cluster as n1",),
                look_again_seconds=5.0,
            ),
            observation=("child: absent", "data: empty"),
            outcome="done",
        )
        waiting = Decision(
            at=datetime(2026, 1, 2, 3, 1, 56, tzinfo=UTC),
            plan=PlanReport(
                kind="wait",
                code="E2D-W04",
                reason="etcd runs and does not answer its health checks",
                remedy="look at the disk and at etcd's log",
                steps=("wait (E2D-W04): etcd runs and does not answer",),
                look_again_seconds=1.0,
            ),
            observation=("child: serving as n10",),
            outcome="nothing to do",
        )
        document = decisions_document([founding, waiting])
        self.decisions = json.loads(json.dumps(document))["decisions"]

    def test_decisions(self) -> None:
        """Each says when, what, why, what came of it and what was seen."""
        self.assertEqual(
            "\n".join(line.text for line in decision_lines(self.decisions)) + "\n",
            dedent(
                """\
                2026-01-02T03:01:55Z acting: etcd is to run here
                  steps      start a new cluster as n1
                  outcome    done
                  observed   child: absent
                             data: empty

                2026-01-02T03:01:56Z wait (E2D-W04): etcd runs and does not answer its health
                checks
                  to do      look at the disk and at etcd's log
                  outcome    nothing to do
                  observed   child: serving as n10
                """  # noqa: E501 - as wide as the terminal
            ),
        )

    def test_mentioning(self) -> None:
        """A member's decisions are not those of one whose name begins the same."""
        self.assertEqual(mentioning(self.decisions, "n1"), self.decisions[:1])
        self.assertEqual(mentioning(self.decisions, "n10"), self.decisions[1:])
        self.assertEqual(mentioning(self.decisions, "n2"), [])
