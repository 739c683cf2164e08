"""Tests of the commands, as far as they go without a daemon."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from click.testing import CliRunner, Result

from twisted.trial.unittest import SynchronousTestCase

from e2d.cli.places import Candidate, Where, candidates
from e2d.cli.program import COMMANDS, program
from e2d.cli.terminal import WrongUsage


class ProgramTests(SynchronousTestCase):
    """What is told before a daemon is asked."""

    def invoke(self, *arguments: str) -> Result:
        """Run a command."""
        return CliRunner().invoke(program, arguments, prog_name="e2d")

    def assert_wrong(self, expected: str, *arguments: str) -> None:
        """Exit code 2, and the reason."""
        result = self.invoke(*arguments)
        self.assertEqual(result.exit_code, 2, result.output)
        self.assertIn(expected, result.output)

    def test_help(self) -> None:
        """The help lists every command."""
        result = self.invoke("--help")
        self.assertEqual(result.exit_code, 0)
        listed = [name for name in COMMANDS if f"\n  {name} " in result.output]
        self.assertEqual(listed, list(COMMANDS))

    def test_unknown_command(self) -> None:
        """A command that does not exist is wrong usage."""
        self.assert_wrong("No such command 'stauts'", "stauts")

    def test_version(self) -> None:
        """The versions are also there for machines."""
        result = self.invoke("version", "--json")
        self.assertEqual(result.exit_code, 0)
        self.assertEqual(
            sorted(json.loads(result.output)),
            ["e2d", "etcd", "etcd_binary", "etcd_library", "python", "twisted"],
        )

    def test_completion(self) -> None:
        """The script completes ``e2d``."""
        self.assertIn("_E2D_COMPLETE", self.invoke("completion", "zsh").output)

    def test_completion_of_unknown_shell(self) -> None:
        """A shell that is not known is wrong usage."""
        self.assert_wrong("'tcsh' is not one of", "completion", "tcsh")

    def test_two_ends(self) -> None:
        """A pause has one end."""
        self.assert_wrong(
            "give --for or --until, not both",
            *["pause", "--for", "1h", "--until", "2026-01-31T18:00:00Z"],
        )

    def test_bad_duration(self) -> None:
        """A mistyped duration is told with the right form."""
        self.assert_wrong(
            "'1x' is not a duration; write 90m or 12h", "pause", "--for", "1x"
        )

    def test_bad_time(self) -> None:
        """A time without a zone is refused."""
        self.assert_wrong(
            "is not an RFC 3339 time", "pause", "--until", "2026-01-31T18:00:00"
        )

    def test_restart_asks(self) -> None:
        """Without a terminal to ask at, a restart needs --yes."""
        self.assert_wrong("add --yes", "restart", "--socket", self.mktemp())

    def test_bad_number(self) -> None:
        """There are at most a hundred decisions."""
        self.assert_wrong("not in the range", "why", "-n", "101")


class RunTests(SynchronousTestCase):
    """``e2d run`` hands over to the composition."""

    def test_bad_format(self) -> None:
        """There are two forms of the log."""
        result = CliRunner().invoke(program, ["run", "--log-format", "xml"])
        self.assertEqual(result.exit_code, 2)


class CandidatesTests(SynchronousTestCase):
    """`candidates`."""

    def setUp(self) -> None:
        """Given a configuration file, and no runtime directory."""
        # Absolute and short: a path of a socket has an end.
        self.directory = Path(tempfile.mkdtemp(prefix="e2d-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.file = self.directory / "e2d.yaml"
        runtime = os.environ.pop("RUNTIME_DIRECTORY", None)
        if runtime is not None:
            self.addCleanup(os.environ.__setitem__, "RUNTIME_DIRECTORY", runtime)

    def candidates(self, text: str) -> list[Candidate]:
        """Where a command looks that is given a file."""
        self.file.write_text(text)
        return candidates(Where(str(self.file), None))

    def test_named_socket(self) -> None:
        """A socket that is named is the only one tried."""
        found = candidates(Where(None, "/x/y.sock"))
        self.assertEqual(found, [Candidate(path="/x/y.sock")])

    def test_configured_socket(self) -> None:
        """So is one that is configured."""
        found = self.candidates("api: {socket: /x/y.sock}")
        self.assertEqual(found, [Candidate(path="/x/y.sock")])

    def test_data_directory(self) -> None:
        """Else beside the data, or at the packaged daemon's if its data is the same."""
        data = self.directory / "data"
        data.mkdir()
        self.assertEqual(
            self.candidates(f"dataDir: {data}"),
            [
                Candidate(path=f"{data}/e2d/e2d.sock", owner=os.getuid()),
                Candidate(path="/run/e2d/e2d.sock", data_dir=str(data)),
            ],
        )

    def test_runtime_directory(self) -> None:
        """A command run as the daemon is finds it where the daemon put it."""
        os.environ["RUNTIME_DIRECTORY"] = "/run/other"
        self.addCleanup(os.environ.pop, "RUNTIME_DIRECTORY")
        found = self.candidates("dataDir: /x")
        self.assertEqual(found[0], Candidate(path="/run/other/e2d.sock"))

    def test_long_data_directory(self) -> None:
        """A directory below /tmp must be private to the owner of the data."""
        found = self.candidates("dataDir: /" + "x" * 100)
        private = [place for place in found if place.private_directory is not None]
        self.assertEqual([place.owner for place in private], [os.geteuid()])

    def test_bad_configuration(self) -> None:
        """A file that cannot be read is wrong usage, with its place."""
        error = self.assertRaises(WrongUsage, self.candidates, "dataDirr: /x")
        self.assertEqual(error.exit_code, 2)
        self.assertIn("e2d.yaml:1:1", error.message)

    def test_missing_configuration(self) -> None:
        """A file that is named and missing is wrong usage."""
        where = Where(str(self.file), None)
        error = self.assertRaises(WrongUsage, candidates, where)
        self.assertIn("there is no such file", error.message)
