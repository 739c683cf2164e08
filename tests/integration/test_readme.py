"""The example in the README, run as it is written."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from attrs import frozen

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.packaging.tree import ROOT

PORTS = range(24000, 24500)
TIMEOUT = 60.0
MARK = "---- example"
CONFIGURATION = """\
apiVersion: e2d.crit.sh/v1beta1
kind: Configuration
clientAddr: 127.0.0.1:{0}
peerAddr: 127.0.0.1:{1}
gossipAddr: 127.0.0.1:{2}
api:
  addr: 127.0.0.1:{3}
"""
"""
Only other ports: the example takes the defaults, which something here may be using.
`e2d run` reads the file because it is called config.yaml.
"""


@frozen
class Command:
    """
    A line after ``$``, and the lines below it.

    ``...`` stands for anything in a line, and alone for any lines.
    """

    line: str
    shown: tuple[str, ...]

    def matches(self, printed: str) -> bool:
        """Whether this is what the example says is printed."""
        pattern = "".join(
            r"(.*\n)+"
            if line == "..."
            else re.escape(line + "\n").replace(r"\.\.\.", ".*")
            for line in self.shown
        )
        return re.fullmatch(pattern, printed) is not None


def example() -> list[Command]:
    """The commands of the block that the README marks with the name of this file."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    marked = r"<!-- example: tests/integration/test_readme\.py [^>]*-->\n"
    (block,) = re.findall(marked + r"```console\n(.*?)```", text, re.DOTALL)
    commands = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, *shown = part.splitlines()
        commands.append(Command(line, tuple(shown)))
    return commands


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nothing listens on now."""
    found: list[int] = []
    for step in range(len(PORTS)):
        port = PORTS[(os.getpid() + step) % len(PORTS)]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise SkipTest(f"no {count} free ports in {PORTS}")


def search_path() -> str:
    """``PATH`` with this environment's commands, and an etcd."""
    places = [Path(sys.executable).parent, *map(Path, os.get_exec_path())]
    places += sorted((ROOT / "build" / "etcd").glob("3.[45]/usr/bin"))
    if not any((place / "etcd").exists() for place in places):
        raise SkipTest("there is no etcd: see scripts/fetch-etcd")
    return ":".join(str(place) for place in places)


def processes_of(directory: Path) -> list[int]:
    """The processes that work in a directory, or were told of it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            told = str(directory).encode() in (entry / "cmdline").read_bytes()
            works = (entry / "cwd").readlink().is_relative_to(directory)
        except OSError:
            continue
        if told or works:
            found.append(int(entry.name))
    return found


class ReadmeTests(SynchronousTestCase):
    """What the README promises, to the letter."""

    def setUp(self) -> None:
        """An empty directory with a short name: a socket's path has a limit."""
        scratch = tempfile.TemporaryDirectory(prefix="e2d-readme-")
        self.directory = Path(scratch.name).resolve()
        self.addCleanup(scratch.cleanup)
        self.addCleanup(self.end_processes)

    def end_processes(self) -> None:
        """End what an example that failed left running: etcd outlives e2d."""
        for pid in processes_of(self.directory):
            os.kill(pid, signal.SIGKILL)

    def run_in_shell(self, commands: list[Command]) -> list[str]:
        """Type the commands into one bash; what each one printed."""
        ports = free_ports(4)
        configuration = CONFIGURATION.format(*ports)
        (self.directory / "config.yaml").write_text(configuration)
        typed = "".join(f"echo '{MARK}'\n{each.line}\n" for each in commands)
        script = self.directory / "example.sh"
        script.write_text(typed)
        output, errors = self.directory / "out.log", self.directory / "err.log"
        with output.open("wb") as out, errors.open("wb") as err:
            try:
                subprocess.run(
                    ["bash", script],
                    cwd=self.directory,
                    env={
                        "HOME": str(self.directory),
                        "PATH": search_path(),
                        "ETCDCTL_API": "3",
                        "ETCDCTL_ENDPOINTS": f"127.0.0.1:{ports[0]}",
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    timeout=TIMEOUT,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                self.fail(f"stuck; {self.told()}")
        return output.read_text().split(f"{MARK}\n")[1:]

    def told(self) -> str:
        """What there is to read when the example failed."""
        logs = sorted(self.directory.glob("*.log"))
        return "\n".join(f"{each.name}:\n{each.read_text()[-4000:]}" for each in logs)

    def test_example(self) -> None:
        """Every command prints what is written below it, and nothing is left over."""
        commands = example()
        printed = self.run_in_shell(commands)
        self.assertEqual(len(printed), len(commands), self.told())
        for command, text in zip(commands, printed, strict=True):
            self.assertTrue(
                command.matches(text),
                f"$ {command.line}\nprinted {text!r}\n{self.told()}",
            )
        self.assertEqual(processes_of(self.directory), [])
