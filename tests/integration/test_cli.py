"""The commands as processes, against a real socket with a pretended daemon behind."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from twisted.internet import reactor  # noqa: TID251 - trial's own
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase

import e2d
from e2d.api.places import SocketPlace
from e2d.api.service import ApiService, ApiSettings
from e2d.interfaces import DataDirectoryError
from e2d.model import Address, Rank
from e2d.testing.daemon import (
    FakeDaemon,
    failed_report,
    gossiping_report,
    ring_member,
)

ROOT = os.path.dirname(os.path.dirname(e2d.__file__))
FIRST_LINE = "serving: single member n1 (8e9e05c52164694d), leader, revision 12"


@frozen
class Ended:
    """How a command ended."""

    out: str
    err: str
    code: int


class CommandTests(TestCase):
    """``python -m e2d`` talks to a daemon."""

    timeout = 60

    def setUp(self) -> None:
        """Given an API on a socket in a directory of its own."""
        # Trial's own directory is too deep for a socket's path.
        self.directory = Path(tempfile.mkdtemp(prefix="e2d-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.socket = str(self.directory / "e2d.sock")
        self.daemon = FakeDaemon()
        self.service = self.make_service()
        self.service.startService()
        self.addCleanup(self.stop)

    def make_service(self, port: int = 0) -> ApiService:
        """A service for the daemon, on our socket."""
        settings = ApiSettings(
            address=Address("127.0.0.1", port), socket=SocketPlace(path=self.socket)
        )
        return ApiService(
            reactor,
            self.daemon,
            self.daemon,
            lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            settings,
        )

    async def stop(self) -> None:
        """Nothing is left."""
        if self.service.running:
            await self.service.stopService()

    async def run_command(self, *arguments: str, colours: str = "") -> Ended:
        """Run to the end."""
        environment = {**os.environ, "PYTHONPATH": ROOT, "NO_COLOR": colours}
        out, err, code = await getProcessOutputAndValue(
            sys.executable,
            ["-m", "e2d", *arguments],
            env=environment,
            path=str(self.directory),
        )
        return Ended(out.decode(), err.decode(), code)

    async def ask(self, command: str, *arguments: str) -> Ended:
        """Run a command against our socket."""
        return await self.run_command(command, "--socket", self.socket, *arguments)

    async def test_status(self) -> None:
        """The verdict is the first line."""
        ended = await self.ask("status")
        self.assertEqual((ended.code, ended.err), (0, ""))
        self.assertEqual(ended.out.splitlines()[0], FIRST_LINE)
        self.assertNotIn("\x1b", ended.out)

    async def test_status_json(self) -> None:
        """For machines it is what the API says."""
        ended = await self.ask("status", "--json")
        self.assertEqual(json.loads(ended.out)["cluster"]["member"]["revision"], 12)

    async def test_watch_full(self) -> None:
        """A status that cannot be written is not watched on."""
        script = f"{sys.executable} -m e2d status --watch --socket $0 >/dev/full"
        _out, err, code = await getProcessOutputAndValue(
            "/bin/sh",
            ["-c", script, self.socket],
            env={**os.environ, "PYTHONPATH": ROOT},
        )
        self.assertEqual(
            (err.decode(), code),
            ("Error: standard output: no space left on device\n", 1),
        )

    async def test_not_serving(self) -> None:
        """A status that could be shown is exit code 0, whatever it says."""
        self.daemon.current = failed_report()
        ended = await self.ask("status")
        self.assertEqual(ended.code, 0)
        self.assertIn("do:       stop that process or change clientAddr\n", ended.out)

    async def test_why(self) -> None:
        """Without decisions there is nothing to explain."""
        ended = await self.ask("why", "n1")
        self.assertEqual(
            (ended.code, ended.out), (0, "no decision that has to do with n1 yet\n")
        )

    async def ask_ring(self, *arguments: str) -> Ended:
        """``e2d gossip members``, against our socket."""
        return await self.run_command(
            "gossip", "members", "--socket", self.socket, *arguments
        )

    async def test_gossip_members(self) -> None:
        """The ring is a table; who left is shown to those who ask."""
        self.daemon.current = gossiping_report(ring_member("n2", Rank.LEFT, 60.0))
        ended = await self.ask_ring()
        self.assertEqual((ended.code, ended.err), (0, ""))
        self.assertTrue(ended.out.startswith("name  rank   for "), ended.out)
        self.assertTrue(ended.out.endswith("1 that left: shown with --all\n"))
        self.assertIn("n2    left", (await self.ask_ring("--all")).out)

    async def test_gossip_members_json(self) -> None:
        """For machines it is what the API says, those who left included."""
        self.daemon.current = gossiping_report(ring_member("n2", Rank.LEFT, 60.0))
        ended = await self.ask_ring("--json")
        ranks = {
            each["name"]: each["rank"] for each in json.loads(ended.out)["members"]
        }
        self.assertEqual(ranks, {"n1": "alive", "n2": "left"})

    async def test_no_gossip(self) -> None:
        """A node that takes part in no ring says so: it does not show an empty one."""
        ended = await self.ask_ring()
        self.assertEqual(
            (ended.code, ended.out, ended.err),
            (1, "", "Error: this node takes part in no gossip ring\n"),
        )

    async def test_pause_and_resume(self) -> None:
        """A pause is kept with the uid that the kernel names, until it is ended."""
        ended = await self.ask("pause", "--for", "90m", "--reason", "new disk")
        self.assertEqual(ended.code, 0, ended.err)
        self.assertIn("paused until 2026-01-02T04:34:05Z", ended.out)
        pause = self.daemon.current.pause
        assert pause is not None
        self.assertEqual((pause.by, pause.reason), (f"uid {os.getuid()}", "new disk"))
        ended = await self.ask("resume")
        self.assertEqual(
            (ended.code, ended.out),
            (
                0,
                f"ended the pause by uid {os.getuid()} until 2026-01-02T04:34:05Z:"
                " new disk\n",
            ),
        )
        self.assertIsNone(self.daemon.current.pause)

    async def test_resume_without_a_pause(self) -> None:
        """Nothing was ended, and nothing else is said."""
        ended = await self.ask("resume")
        self.assertEqual((ended.code, ended.out), (0, "there was no pause\n"))

    async def test_pause_too_long(self) -> None:
        """What the daemon finds wrong is wrong usage, in its words."""
        ended = await self.ask("pause", "--for", "900d")
        self.assertEqual(
            (ended.code, ended.err),
            (2, "Error: a pause can be 30 days long: pause again when it ends\n"),
        )

    async def test_pause_not_kept(self) -> None:
        """A pause that is not on disk does not hold, and is not said to."""
        self.daemon.refusal = DataDirectoryError("/var/lib/e2d/e2d: disk full")
        ended = await self.ask("pause")
        self.assertEqual(
            (ended.code, ended.err), (1, "Error: /var/lib/e2d/e2d: disk full\n")
        )

    async def test_hostile_refusal(self) -> None:
        """What the daemon says moves no cursor."""
        self.daemon.refusal = DataDirectoryError("/x\x1b[2J\ny")
        ended = await self.ask("pause")
        self.assertEqual((ended.code, ended.err), (1, "Error: /x?[2J?y\n"))

    async def test_restart(self) -> None:
        """A restart ends when etcd serves again."""
        ended = await self.ask("restart", "--yes")
        self.assertEqual(
            (ended.code, ended.out), (0, "etcd was restarted and serves\n"), ended.err
        )
        self.assertEqual(self.daemon.told, [("restart", f"uid {os.getuid()}")])

    async def test_restart_without_yes(self) -> None:
        """Nobody is interrupted without having been asked."""
        ended = await self.ask("restart")
        self.assertEqual(ended.code, 2)
        self.assertEqual(self.daemon.told, [])

    async def test_gone(self) -> None:
        """Without a daemon: exit code 3, and the socket that was tried."""
        await self.service.stopService()
        self.assertFalse(os.path.exists(self.socket))
        ended = await self.ask("status")
        self.assertEqual(ended.code, 3)
        self.assertIn(f"({self.socket}: no such file or directory)", ended.err)

    async def test_stale(self) -> None:
        """A socket left behind by a killed daemon is replaced by the next one."""
        await self.service.stopService()
        process_ends = "import socket,sys;socket.socket(1).bind(sys.argv[1])"
        await getProcessOutputAndValue(
            sys.executable, ["-c", process_ends, self.socket]
        )
        ended = await self.ask("status")
        self.assertEqual(ended.code, 3)
        self.assertIn(f"({self.socket}: connection refused)", ended.err)
        self.service.startService()
        ended = await self.ask("status")
        self.assertEqual(ended.code, 0)

    async def test_silent_crowd(self) -> None:
        """Many who connect and say nothing keep nobody out."""
        for _ in range(100):
            silent = socket.socket(socket.AF_UNIX)
            self.addCleanup(silent.close)
            silent.connect(self.socket)
            # Accepted one by one: more than fifty may not wait.
            await deferLater(reactor, 0)
        ended = await self.ask("status")
        self.assertEqual((ended.code, ended.err), (0, ""))

    async def test_mode(self) -> None:
        """Only its owner can connect to the socket."""
        self.assertEqual(os.stat(self.socket).st_mode & 0o777, 0o600)

    async def test_port_taken(self) -> None:
        """A taken port says which key to change, and takes nothing from the socket."""
        port = self.service.http_port
        assert port is not None
        self.socket = str(self.directory / "second.sock")
        second = self.make_service(port=port)
        second.startService()
        self.addCleanup(second.stopService)
        self.assertEqual(
            second.warnings,
            (
                f"api.addr 127.0.0.1:{port}: in use already, perhaps by another e2d;"
                " set api.addr to a free address of this host; trying again every 5 s",
            ),
        )
        ended = await self.ask("status")
        self.assertEqual(ended.code, 0, ended.err)

    async def test_light(self) -> None:
        """Help and version do not load Twisted's reactor, HTTP or YAML."""
        heavy = ("twisted.internet", "treq", "yaml", "e2d.interfaces")
        script = (
            "import sys, e2d.cli.program as p\n"
            "for a in (['--help'], ['version']):\n"
            "    p.program(a, standalone_mode=False)\n"
            f"print([m for m in {heavy!r} if m in sys.modules])\n"
        )
        out, err, code = await getProcessOutputAndValue(
            sys.executable, ["-c", script], env={**os.environ, "PYTHONPATH": ROOT}
        )
        self.assertEqual(code, 0, err)
        self.assertEqual(out.decode().splitlines()[-1], "[]")
