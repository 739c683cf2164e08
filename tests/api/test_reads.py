"""Tests of `e2d.api.reads`, through HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import evolve

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from e2d.api.channel import ApiSite
from e2d.api.reads import Reads
from e2d.api.resources import Root, read_pages
from e2d.cluster.report import ClusterReport, Decision, PlanReport
from e2d.model import Pause
from e2d.testing.daemon import FakeDaemon, serving_report, starting_report
from tests.api.exchange import Response, ask


class ReadsTests(SynchronousTestCase):
    """What HTTP tells of a daemon."""

    def setUp(self) -> None:
        """Given a daemon that serves, and a site for it."""
        self.daemon = FakeDaemon()
        root = Root(read_pages(Reads(self.daemon).by_path()))
        self.site = ApiSite(root, Clock())

    def get(self, path: str, accept: str = "*/*") -> Response:
        """GET."""
        return ask(self.site, "GET", path, accept=accept)

    def sample(self, name: str) -> str | None:
        """The value of one line of the metrics."""
        lines = self.get("/metrics").body.decode().splitlines()
        found = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return dict(found).get(name)

    def test_status(self) -> None:
        """The status names member, leader and revision as etcd's tools print them."""
        response = self.get("/status")
        self.assertEqual(response.code, 200)
        self.assertEqual(response.headers["content-type"], "application/json")
        member = response.document["cluster"]["member"]
        self.assertEqual(member["member_id"], "8e9e05c52164694d")
        self.assertEqual(member["leader"], "8e9e05c52164694d")
        self.assertEqual(member["cluster_id"], "cdf818194e3a8c32")
        self.assertEqual(member["revision"], 12)

    def test_status_whole(self) -> None:
        """The names and forms of the status do not change unnoticed."""
        document = self.get("/status").document
        self.assertEqual(
            {
                key: sorted(value) if isinstance(value, dict) else value
                for key, value in document.items()
            },
            {
                "at": "2026-01-02T03:04:05Z",
                "ready": True,
                "writable": True,
                "safe_to_stop": False,
                "node": [
                    "cluster_name",
                    "config",
                    "data_dir",
                    "e2d_version",
                    "name",
                    "node_id",
                    "pid",
                    "socket",
                    "started_at",
                ],
                "etcd": [
                    "adopted",
                    "binary",
                    "client_url",
                    "failures_in_a_row",
                    "for_seconds",
                    "peer_url",
                    "pid",
                    "problem",
                    "remedy",
                    "retry_in_seconds",
                    "starts",
                    "state",
                    "version",
                ],
                "cluster": ["alarms", "denied", "member", "members", "quorum"],
                "gossip": None,
                "data": "holds member 8e9e05c52164694d",
                "plan": [
                    "code",
                    "kind",
                    "look_again_seconds",
                    "reason",
                    "remedy",
                    "steps",
                ],
                "loop": [
                    "failures",
                    "last_success_age_seconds",
                    "last_success_at",
                    "problem",
                    "turns",
                ],
                "pause": None,
                "warnings": [],
            },
        )

    def test_unknown_is_null(self) -> None:
        """What etcd did not answer is null, not zero and not an empty list."""
        self.daemon.current = starting_report()
        self.assertEqual(
            self.get("/status").document["cluster"],
            {
                "member": None,
                "members": None,
                "quorum": False,
                "alarms": None,
                "denied": None,
            },
        )

    def test_pause(self) -> None:
        """A pause in force is shown with its end in UTC."""
        pause = Pause(
            until_at=datetime(2026, 1, 2, 4, 0, tzinfo=UTC), by="uid 0", reason="disk"
        )
        self.daemon.current = evolve(self.daemon.current, pause=pause)
        self.assertEqual(
            self.get("/status").document["pause"],
            {"until": "2026-01-02T04:00:00Z", "by": "uid 0", "reason": "disk"},
        )

    def test_expired_pause(self) -> None:
        """A pause that has ended is not shown as one."""
        pause = Pause(until_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), by="uid 0")
        self.daemon.current = evolve(self.daemon.current, pause=pause)
        self.assertIsNone(self.get("/status").document["pause"])
        self.assertEqual(self.sample("e2d_paused"), "0.0")

    def test_decisions(self) -> None:
        """A decision comes with what it was made from and what came of it."""
        plan = PlanReport(
            kind="acting",
            code=None,
            reason="etcd is to run here",
            remedy=None,
            steps=("start a new cluster as n1",),
            look_again_seconds=5.0,
        )
        decision = Decision(
            at=datetime(2026, 1, 2, 3, 1, 55, tzinfo=UTC),
            plan=plan,
            observation=("data: empty",),
            outcome="done",
        )
        self.daemon.past = (decision,)
        self.assertEqual(
            self.get("/decisions").document,
            {
                "decisions": [
                    {
                        "at": "2026-01-02T03:01:55Z",
                        "plan": {
                            "kind": "acting",
                            "code": None,
                            "reason": "etcd is to run here",
                            "remedy": None,
                            "steps": ["start a new cluster as n1"],
                            "look_again_seconds": 5.0,
                        },
                        "observation": ["data: empty"],
                        "outcome": "done",
                    }
                ]
            },
        )

    def test_alive(self) -> None:
        """A loop that turns is healthy, whatever etcd does."""
        self.daemon.current = starting_report()
        response = self.get("/healthz")
        self.assertEqual(response.code, 200)
        self.assertEqual(response.document, {"alive": True, "reason": None})

    def test_not_alive(self) -> None:
        """A loop that is stuck or fails is told by the status code alone, and why."""
        reason = "every turn of the loop has failed for 60 s: OSError"
        loop = evolve(self.daemon.current.loop, problem=reason)
        self.daemon.current = evolve(self.daemon.current, loop=loop)
        response = self.get("/healthz")
        self.assertEqual(response.code, 503)
        self.assertEqual(response.document, {"alive": False, "reason": reason})
        self.assertEqual(self.sample("e2d_alive"), "0.0")

    def test_ready(self) -> None:
        """Readiness also says whether the node may be stopped."""
        response = self.get("/readyz")
        self.assertEqual(response.code, 200)
        self.assertEqual(
            response.document,
            {
                "ready": True,
                "writable": True,
                "alarms": [],
                "safe_to_stop": False,
                "reason": "etcd serves with quorum",
                "code": None,
            },
        )

    def alarm(self, *names: str) -> None:
        """Raise alarms."""
        report = self.daemon.current
        alarms = tuple(("8e9e05c52164694d", name) for name in names)
        cluster = evolve(report.cluster, alarms=alarms)
        self.daemon.current = evolve(report, cluster=cluster)

    def test_full(self) -> None:
        """A full database still reads: traffic stays, and the answer says the rest."""
        self.alarm("NOSPACE")
        response = self.get("/readyz")
        self.assertEqual(response.code, 200)
        document = response.document
        self.assertEqual((document["ready"], document["writable"]), (True, False))
        self.assertEqual(
            document["alarms"], [{"member_id": "8e9e05c52164694d", "alarm": "NOSPACE"}]
        )
        self.assertIs(self.get("/status").document["writable"], False)

    def test_corrupt(self) -> None:
        """Whose data is wrong is not known: no traffic, as etcd itself says."""
        self.alarm("CORRUPT")
        response = self.get("/readyz")
        self.assertEqual(response.code, 503)
        document = response.document
        self.assertEqual((document["ready"], document["writable"]), (False, False))

    def test_alarms_not_known(self) -> None:
        """If etcd did not say, nobody knows whether it takes writes."""
        report = self.daemon.current
        self.daemon.current = evolve(
            report, cluster=evolve(report.cluster, alarms=None)
        )
        document = self.get("/readyz").document
        self.assertEqual(
            (document["ready"], document["writable"], document["alarms"]),
            (True, None, None),
        )

    def test_not_ready(self) -> None:
        """A node that serves nobody says so, and why."""
        self.daemon.current = starting_report()
        response = self.get("/readyz")
        self.assertEqual(response.code, 503)
        self.assertEqual(response.document["code"], "E2D-W01")

    def test_not_ready_without_a_loop(self) -> None:
        """What was true when the loop last turned well is not told as true now."""
        reason = "the next turn of the loop is 31 s late and may be 30 s late"
        loop = evolve(self.daemon.current.loop, problem=reason)
        self.daemon.current = evolve(self.daemon.current, loop=loop)
        response = self.get("/readyz")
        self.assertEqual(response.code, 503)
        self.assertEqual(response.document["reason"], reason)
        self.assertIs(response.document["safe_to_stop"], False)

    def test_not_ready_without_quorum(self) -> None:
        """A member that answers without quorum is not ready."""
        report = serving_report()
        self.daemon.current = evolve(
            report, cluster=ClusterReport(status=None, members=None, alarms=None)
        )
        self.assertEqual(self.get("/readyz").code, 503)

    def deny(self) -> None:
        """Etcd lets nobody ask who is not logged in."""
        report = self.daemon.current
        cluster = ClusterReport(
            status=report.cluster.status,
            members=None,
            alarms=None,
            denied="etcdserver: user name is empty",
            list_denied=True,
        )
        self.daemon.current = evolve(report, cluster=cluster)

    def test_denied(self) -> None:
        """B15: that e2d may not ask takes no node out of service, and is told."""
        self.deny()
        self.assertEqual(self.get("/readyz").code, 200)
        cluster = self.get("/status").document["cluster"]
        self.assertEqual(
            (cluster["denied"], cluster["quorum"], cluster["members"]),
            ("etcdserver: user name is empty", True, None),
        )

    def test_metrics_denied(self) -> None:
        """It is a metric of its own; without an answer there is none."""
        self.assertEqual(self.sample("e2d_etcd_denied"), "0.0")
        self.deny()
        self.assertEqual(self.sample("e2d_etcd_denied"), "1.0")
        self.daemon.current = starting_report()
        self.assertIsNone(self.sample("e2d_etcd_denied"))

    def test_index(self) -> None:
        """The root lists what there is."""
        body = self.get("/").body.decode()
        self.assertIn("/status", body)
        self.assertIn("/metrics", body)

    def test_not_found(self) -> None:
        """An unknown path is 404, and is not repeated in the answer."""
        response = self.get("/<script>/status")
        self.assertEqual(response.code, 404)
        self.assertEqual(response.document, {"error": "no such path; / lists all"})

    def test_below_a_page(self) -> None:
        """Nothing is below a page."""
        self.assertEqual(self.get("/status/x").code, 404)

    def test_headers(self) -> None:
        """A browser neither keeps an answer nor guesses what it is."""
        headers = self.get("/status").headers
        self.assertEqual(headers["cache-control"], "no-store")
        self.assertEqual(headers["x-content-type-options"], "nosniff")

    def test_metrics(self) -> None:
        """The metrics tell revision, members, leader and loop."""
        self.assertEqual(self.sample("e2d_etcd_revision"), "12.0")
        self.assertEqual(self.sample('e2d_etcd_members{role="voter"}'), "1.0")
        self.assertEqual(self.sample('e2d_etcd_members{role="learner"}'), "0.0")
        self.assertEqual(self.sample("e2d_etcd_has_leader"), "1.0")
        self.assertEqual(self.sample("e2d_etcd_ready"), "1.0")
        self.assertEqual(self.sample("e2d_loop_turns_total"), "27.0")
        self.assertEqual(
            self.sample("e2d_loop_last_success_timestamp_seconds"), "1.767323044e+09"
        )
        self.assertEqual(
            self.sample('e2d_build_info{etcd_version="3.5.16",version="0.1.0"}'), "1.0"
        )

    def test_metrics_child_state(self) -> None:
        """One state of the child is 1, the others are 0."""
        self.daemon.current = starting_report()
        self.assertEqual(self.sample('e2d_etcd_child_state{state="starting"}'), "1.0")
        self.assertEqual(self.sample('e2d_etcd_child_state{state="serving"}'), "0.0")
        self.assertEqual(self.sample('e2d_plan_code{code="E2D-W01"}'), "1.0")
        self.assertEqual(self.sample('e2d_plan_code{code="E2D-H01"}'), "0.0")

    def test_metrics_unknown(self) -> None:
        """What is not known has no sample: an alert does not take it for zero."""
        self.daemon.current = starting_report()
        self.assertIsNone(self.sample("e2d_etcd_revision"))
        self.assertIsNone(self.sample('e2d_etcd_members{role="voter"}'))

    def test_metrics_alarm(self) -> None:
        """A raised alarm names its member."""
        self.alarm("NOSPACE")
        name = 'e2d_etcd_alarm{alarm="NOSPACE",member_id="8e9e05c52164694d"}'
        self.assertEqual(self.sample(name), "1.0")

    def test_metrics_process(self) -> None:
        """The process's own memory is among the metrics."""
        self.assertIsNotNone(self.sample("process_resident_memory_bytes"))

    def test_accept_that_is_no_text(self) -> None:
        """Whatever bytes a header has, the answer is the page."""
        self.assertEqual(self.get("/metrics", "\xff\xfe").code, 200)

    def test_metrics_content_type(self) -> None:
        """Prometheus gets its text form, and OpenMetrics if it asks for it."""
        plain = self.get("/metrics").headers["content-type"]
        self.assertTrue(plain.startswith("text/plain"), plain)
        accept = "application/openmetrics-text; version=1.0.0"
        response = self.get("/metrics", accept)
        self.assertIn("openmetrics", response.headers["content-type"])
        self.assertTrue(response.body.endswith(b"# EOF\n"))
