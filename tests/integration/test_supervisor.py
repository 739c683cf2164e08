"""The supervisor over real etcds of every line at hand."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from attrs import evolve

from twisted.internet import reactor  # noqa: TID251 - real processes need the real one
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SkipTest, TestCase

from e2d.config.values import Endpoint, Metrics, MetricsDetail
from e2d.etcd.processes import Processes
from e2d.etcd.supervisor import EtcdSupervisor
from e2d.model import (
    Absent,
    Address,
    ChildFailed,
    InitialState,
    ProblemKind,
    Serving,
    Starting,
)
from tests.integration.supervised import ROOT, Node, etcds


def _is_running(pid: int) -> bool:
    # One that has ended and waits for init to reap it does not run any more.
    return Processes().start_time(pid) is not None


def _async(test: Callable[[Supervision], Awaitable[None]]) -> Callable[..., object]:
    def run(self: Supervision) -> Deferred[None]:
        return Deferred.fromCoroutine(test(self))

    run.__doc__, run.__name__ = test.__doc__, test.__name__
    return run


class Supervision:
    """The tests, for one line of etcd."""

    line = ""
    port = 0
    timeout = 60

    def setUp(self) -> None:
        """A data directory that nobody used."""
        binary = etcds().get(self.line)
        if binary is None:
            raise SkipTest(f"no etcd {self.line} below build/etcd")
        # Each supervisor raises the score of its process, and here they share one.
        score = Path("/proc/self/oom_score_adj")
        self.addCleanup(score.write_text, score.read_text())
        directory = os.path.abspath(self.mktemp())
        self.node = Node(reactor, binary, directory, self.port)

    def tearDown(self) -> Deferred[None]:
        """Nothing runs on."""
        return Deferred.fromCoroutine(self.node.end())

    async def _serving(self, **changes: object) -> tuple[EtcdSupervisor, int]:
        supervisor = self.node.supervisor(**changes)
        await supervisor.start(self.node.start())
        state = await self.node.until(supervisor, Serving)
        return supervisor, state.pid

    @_async
    async def test_starts_serves_and_stops(self) -> None:
        """Etcd serves soon after the start, and stop returns when it is gone."""
        supervisor = self.node.supervisor()
        began = reactor.seconds()
        await supervisor.start(self.node.start())
        self.assertIsInstance(supervisor.state(), Starting)
        state = await self.node.until(supervisor, Serving)
        self.assertLess(reactor.seconds() - began, 10)
        await self.node.post("kv/put", {"key": "YQ==", "value": "Yg=="})
        await supervisor.stop()
        self.assertFalse(_is_running(state.pid))
        self.assertEqual(supervisor.state(), Absent())

    @_async
    async def test_every_setting_is_accepted(self) -> None:
        """The whole command line, metrics and extra arguments too, suits the binary."""
        address = Address("127.0.0.1", self.port + 4)
        self.node.metrics = Metrics(
            endpoint=Endpoint(listen=address, advertise=address), disable_auth=False
        )
        _, pid = await self._serving(
            log_level="info",
            metrics_detail=MetricsDetail.EXTENSIVE,
            quota_backend_bytes=1 << 30,
            extra_args=(("snapshot-count", "5000"), ("heartbeat-interval", "120")),
        )
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            self.assertIn(b"--heartbeat-interval=120", file.read().split(b"\0"))

    @_async
    async def test_nothing_ties_etcd_to_e2d(self) -> None:
        """Own session, no pipe, no file of e2d's, and e2d first when memory ends."""
        lock = os.open(os.path.abspath(self.mktemp()), os.O_RDWR | os.O_CREAT)
        os.set_inheritable(lock, True)
        self.addCleanup(os.close, lock)
        _, pid = await self._serving()
        self.assertEqual(os.getsid(pid), pid)
        log = os.path.join(self.node.directory, "e2d", "etcd.log")
        files = {
            name: os.readlink(f"/proc/{pid}/fd/{name}")
            for name in os.listdir(f"/proc/{pid}/fd")
        }
        self.assertEqual([files["0"], files["1"], files["2"]], [os.devnull, log, log])
        ours = os.readlink(f"/proc/self/fd/{lock}")
        self.assertNotIn(ours, files.values())
        scores = [
            int(Path(f"/proc/{name}/oom_score_adj").read_text())
            for name in (str(pid), "self")
        ]
        self.assertLess(scores[0], scores[1])

    @_async
    async def test_killed_etcd_is_seen(self) -> None:
        """SIGKILL of etcd is a failure with its name, and a start brings it back."""
        supervisor, pid = await self._serving()
        os.kill(pid, signal.SIGKILL)
        state = await self.node.until(supervisor, ChildFailed)
        self.assertEqual(state.problem.kind, ProblemKind.KILLED)
        self.assertEqual(state.times, 1)
        await supervisor.start(self.node.start())
        await self.node.until(supervisor, Serving)

    @_async
    async def test_left_behind_and_adopted(self) -> None:
        """A second e2d finds etcd running, serves on at once, and can stop it."""
        first, pid = await self._serving()
        first._core.child.abandon()
        first._core.health.stop()
        second = self.node.supervisor()
        self.assertTrue(await second.adopt())
        state = await self.node.until(second, Serving)
        self.assertEqual((state.pid, state.adopted), (pid, True))
        # This process is still its parent: it must be reaped here to be gone.
        await second.stop()
        self.assertEqual(second.state(), Absent())
        self.node.supervisors.remove(first)
        await first._follower.stop()

    @_async
    async def test_adopted_etcd_that_dies_is_seen(self) -> None:
        """The end of an etcd that is not our child is noticed."""
        first, pid = await self._serving()
        first._core.child.abandon()
        first._core.health.stop()
        self.node.supervisors.remove(first)
        await first._follower.stop()
        second = self.node.supervisor(log_level="info")
        self.assertTrue(await second.adopt())
        # How it was started is compared beside everything else.
        while "--log-level" not in second.warnings()[-1]:
            await self.node.rest(0.05)
        os.kill(pid, signal.SIGKILL)
        state = await self.node.until(second, ChildFailed)
        self.assertIn("how can't be known", state.problem.message)

    async def _left_behind(self) -> int:
        """An etcd that serves and whose e2d is gone; its process id."""
        first, pid = await self._serving()
        first._core.child.abandon()
        first._core.health.stop()
        self.node.supervisors.remove(first)
        await first._follower.stop()
        return pid

    @_async
    async def test_stopped_while_it_is_adopted(self) -> None:
        """A stop during an adoption ends the etcd that is found, with its record."""
        pid = await self._left_behind()
        second = self.node.supervisor()
        adopting = Deferred.fromCoroutine(second.adopt())
        await second.stop()
        self.assertFalse(await adopting)
        self.assertFalse(_is_running(pid))
        self.assertEqual(second.state(), Absent())
        self.assertFalse(os.path.exists(self._record))

    @property
    def _record(self) -> str:
        return os.path.join(self.node.directory, "e2d", "launch.json")

    @_async
    async def test_adopted_without_its_record(self) -> None:
        """An etcd of ours whose record is lost is adopted all the same."""
        pid = await self._left_behind()
        os.unlink(self._record)
        second = self.node.supervisor()
        self.assertTrue(await second.adopt())
        state = await self.node.until(second, Serving)
        self.assertEqual(state.pid, pid)
        await second.stop()
        self.assertFalse(_is_running(pid))

    @_async
    async def test_stranger_at_our_address(self) -> None:
        """Our etcd stays ours when another answers where it should, and is stopped."""
        pid = await self._left_behind()
        stranger = Node(
            reactor, self.node.binary, os.path.abspath(self.mktemp()), self.port + 10
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(stranger.end()))
        other = stranger.supervisor()
        await other.start(stranger.start())
        await stranger.until(other, Serving)
        ours = (await self.node.probe()).member_id
        # A change of clientAddr: asked is where the stranger listens.
        self.node.port = stranger.port
        second = self.node.supervisor(expected_member=lambda: ours)
        self.assertTrue(await second.adopt())
        while "which is not ours" not in second.warnings()[-1]:
            await self.node.rest(0.05)
        self.assertEqual(second.state().pid, pid)
        self.assertIsInstance(second.state(), Starting)
        self.assertTrue(os.path.exists(self._record))
        await second.stop()
        self.assertFalse(_is_running(pid))

    @_async
    async def test_log_that_grows_while_it_stops(self) -> None:
        """However long the log is read after a stop, the next start stays on record."""
        supervisor, _ = await self._serving()
        stopping = Deferred.fromCoroutine(supervisor.stop())
        log = os.path.join(self.node.directory, "e2d", "etcd.log")
        line = b'{"level":"info","msg":"written by somebody else"}\n'
        with open(log, "ab") as file:
            file.write(line * 18_000)
        await self.node.until(supervisor, Absent)
        await supervisor.start(self.node.start())
        await stopping
        state = await self.node.until(supervisor, Serving)
        self.assertTrue(os.path.exists(self._record))
        supervisor._core.child.abandon()
        supervisor._core.health.stop()
        self.node.supervisors.remove(supervisor)
        await supervisor._follower.stop()
        second = self.node.supervisor()
        self.assertTrue(await second.adopt())
        self.assertEqual(second.state().pid, state.pid)

    @_async
    async def test_ended_by_somebody_else(self) -> None:
        """SIGTERM from outside is a failure by its name, not a removal."""
        supervisor, pid = await self._serving()
        os.kill(pid, signal.SIGTERM)
        state = await self.node.until(supervisor, ChildFailed)
        self.assertEqual(state.problem.kind, ProblemKind.KILLED)
        self.assertIn("SIGTERM", state.problem.message)

    @_async
    async def test_nothing_can_be_written_down(self) -> None:
        """A member starts on its data though nothing can be put on record."""
        supervisor, _ = await self._serving()
        await supervisor.stop()
        own = os.path.join(self.node.directory, "e2d")
        os.rename(own, f"{own}.old")
        Path(own).touch()
        start = evolve(self.node.start(), state=InitialState.EXISTING)
        await supervisor.start(start)
        state = await self.node.until(supervisor, Serving)
        self.assertTrue(any("recorded" in each for each in supervisor.warnings()))
        second = self.node.supervisor()
        self.node.supervisors.remove(supervisor)
        supervisor._core.child.abandon()
        supervisor._core.health.stop()
        self.assertTrue(await second.adopt())
        self.assertEqual(second.state().pid, state.pid)

    def _e2d(self) -> subprocess.Popen[bytes]:
        node = self.node
        command = [sys.executable, "-m", "tests.integration.supervising"]
        process = subprocess.Popen(
            [*command, node.binary, node.directory, str(node.port)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def _told(self, process: subprocess.Popen[bytes]) -> Deferred[bytes]:
        return self.node.run_in_pool(process.stdout.readline)

    @_async
    async def test_killed_e2d(self) -> None:
        """SIGKILL of e2d leaves etcd serving; the next e2d adopts that very process."""
        first = self._e2d()
        _, pid, adopted = (await self._told(first)).split()
        self.assertEqual(adopted, b"False")
        await self.node.post("kv/put", {"key": "YQ==", "value": "Yg=="})
        first.kill()
        await self.node.run_in_pool(first.wait)
        for _ in range(10):
            await self.node.post("kv/put", {"key": "YQ==", "value": "Yg=="})
        second = self._e2d()
        self.assertEqual((await self._told(second)).split(), [b"serving", pid, b"True"])
        second.kill()
        await self.node.run_in_pool(second.wait)
        # Not our child and not adopted either until now: stop it as a third e2d would.
        third = self.node.supervisor()
        self.assertTrue(await third.adopt())
        await third.stop()
        self.assertFalse(_is_running(int(pid)))

    @_async
    async def test_port_in_use(self) -> None:
        """A port that is taken is named, and nothing is left behind."""
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", self.port))
        taken.listen()
        self.addCleanup(taken.close)
        supervisor = self.node.supervisor()
        await supervisor.start(self.node.start())
        state = supervisor.state()
        self.assertIsInstance(state, ChildFailed)
        self.assertEqual(state.problem.kind, ProblemKind.PORT_IN_USE)
        self.assertIn(f"127.0.0.1:{self.port}", state.problem.message)
        self.assertFalse(os.path.exists(os.path.join(self.node.directory, "member")))

    @_async
    async def test_data_of_a_stranger(self) -> None:
        """An etcd on our data that e2d did not start is named, and left alone."""
        settings = self.node.settings()
        os.makedirs(self.node.directory, mode=0o700)
        stranger = subprocess.Popen(
            [
                settings.binary,
                f"--data-dir={self.node.directory}",
                f"--listen-client-urls=http://127.0.0.1:{self.port + 2}",
                f"--advertise-client-urls=http://127.0.0.1:{self.port + 2}",
                f"--listen-peer-urls=http://127.0.0.1:{self.port + 3}",
                f"--initial-advertise-peer-urls=http://127.0.0.1:{self.port + 3}",
                f"--initial-cluster=default=http://127.0.0.1:{self.port + 3}",
                "--unsafe-no-fsync",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        supervisor = self.node.supervisor()
        database = os.path.join(self.node.directory, "member", "snap", "db")
        while not os.path.exists(database):
            await self.node.rest(0.05)
        self.assertFalse(await supervisor.adopt())
        state = supervisor.state()
        self.assertEqual(state.problem.kind, ProblemKind.DATA_LOCKED)
        self.assertIn(f"etcd (pid {stranger.pid})", state.problem.message)
        await supervisor.start(self.node.start())
        self.assertEqual(supervisor.state().problem.kind, ProblemKind.DATA_LOCKED)
        self.assertIsNone(stranger.poll())


class Supervision34Tests(Supervision, TestCase):
    """etcd 3.4."""

    line, port = "3.4", 22100


class Supervision35Tests(Supervision, TestCase):
    """etcd 3.5."""

    line, port = "3.5", 22200


class Supervision36Tests(Supervision, TestCase):
    """etcd 3.6."""

    line, port = "3.6", 22300


class Supervision37Tests(Supervision, TestCase):
    """etcd 3.7."""

    line, port = "3.7", 22400
