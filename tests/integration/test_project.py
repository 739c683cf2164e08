"""The scripts of the project: what they say, and what they end with."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.environments import Outcome, run
from tests.packaging.tree import ROOT


class ScriptTestCase(SynchronousTestCase):
    """A directory whose commands come before all others."""

    def setUp(self) -> None:
        """An empty directory, and its bin/ on PATH."""
        scratch = tempfile.TemporaryDirectory(prefix="e2d-scripts-")
        self.addCleanup(scratch.cleanup)
        self.directory = Path(scratch.name)
        (self.directory / "bin").mkdir()

    def command(self, name: str, body: str) -> Path:
        """A shell script that takes the place of a command."""
        path = self.directory / "bin" / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    def run_here(self, *command: str | Path) -> Outcome:
        """Run a command with those scripts in front."""
        path = f"{self.directory / 'bin'}:{os.environ['PATH']}"
        return run(*command, env={"PATH": path})


class ContinuousIntegrationTests(ScriptTestCase):
    """``.ci/run``, with a ``make`` that says what the tests want it to."""

    def ci(self, body: str) -> Outcome:
        """Run a copy of it, for it leaves its logs beside itself."""
        (self.directory / ".ci").mkdir()
        script = shutil.copy(ROOT / ".ci" / "run", self.directory / ".ci" / "run")
        self.command("make", body)
        return self.run_here(script)

    def last_line(self, outcome: Outcome) -> str:
        """What a machine reads."""
        return outcome.out.splitlines()[-1]

    def test_sums_the_runs(self) -> None:
        """The last line counts the tests of all runs."""
        done = self.ci('echo "PASSED (skips=2, successes=5)"')
        self.assertEqual(self.last_line(done), "10 passed, 0 failed, 4 skipped")
        self.assertEqual(done.code, 0)

    def test_counts_errors_as_failures(self) -> None:
        """An error is not less than a failure."""
        done = self.ci(
            'echo "FAILED (skips=1, failures=1, errors=3, successes=7)"; exit 1'
        )
        self.assertEqual(self.last_line(done), "14 passed, 8 failed, 2 skipped")
        self.assertEqual(done.code, 1)

    def test_takes_the_last_verdict(self) -> None:
        """A test may print what looks like a verdict."""
        done = self.ci('echo "FAILED (errors=9)"; echo "PASSED (successes=1)"')
        self.assertEqual(self.last_line(done), "2 passed, 0 failed, 0 skipped")

    def test_no_verdict_is_a_failure(self) -> None:
        """A run that crashed proved nothing."""
        done = self.ci("echo Segmentation fault; exit 139")
        self.assertEqual(self.last_line(done), "0 passed, 2 failed, 0 skipped")
        self.assertEqual(done.code, 1)

    def test_check_fails_the_whole(self) -> None:
        """Every test passed, and the style did not."""
        done = self.ci(
            'echo "PASSED (successes=3)"; case "$*" in *check) exit 1;; esac'
        )
        self.assertEqual(self.last_line(done), "6 passed, 0 failed, 0 skipped")
        self.assertIn("ci: make check failed", done.out)
        self.assertEqual(done.code, 1)


class FetchEtcdTests(ScriptTestCase):
    """``scripts/fetch-etcd``."""

    def test_takes_the_one_on_path(self) -> None:
        """Who has an etcd keeps it; nothing is fetched."""
        etcd = self.command("etcd", "echo etcd Version: 3.5.21")
        done = self.run_here(ROOT / "scripts" / "fetch-etcd", self.directory / "none")
        self.assertEqual(done.out, f"{etcd.parent}\n")
        self.assertEqual(done.err, f"etcd: using 3.5.21 on PATH: {etcd}\n")
        self.assertFalse((self.directory / "none").exists())

    def build(self, *lines: str) -> Outcome:
        """Run it where these lines are unpacked already."""
        for line in lines:
            binary = self.command("etcd", f"echo etcd Version: {line}.99")
            place = self.directory / "lines" / line / "usr" / "bin"
            place.mkdir(parents=True)
            shutil.copy(binary, place)
        fetch = ROOT / "scripts" / "fetch-etcd"
        return self.run_here(fetch, "--build", self.directory / "lines")

    def test_does_without_what_go_cannot_build(self) -> None:
        """Without a line that no distribution has the other lines are tested."""
        self.command("go", "echo no network >&2; exit 1")
        done = self.build("3.4", "3.5")
        self.assertEqual(done.code, 0)
        self.assertEqual(done.out, f"{self.directory / 'bin'}\n")
        log = self.directory / "lines" / "build-3.6.log"
        self.assertIn(f"etcd: 3.6 could not be built (see {log}): skipped", done.err)
        self.assertNotIn("no network", done.err)

    def test_builds_once(self) -> None:
        """What was built is not built again."""
        self.command("go", f"touch {self.directory / 'called'}; exit 1")
        done = self.build("3.4", "3.5", "3.6")
        self.assertEqual(done.code, 0)
        self.assertFalse((self.directory / "called").exists())


class MakeVenvTests(ScriptTestCase):
    """``scripts/make-venv``."""

    def test_says_what_is_missing(self) -> None:
        """Without Python, one line names the package to install."""
        script, dest = ROOT / "scripts" / "make-venv", self.directory / "venv"
        done = run(script, dest, env={"PYTHON": "python3.nonexistent"})
        self.assertEqual(done.code, 1)
        self.assertEqual(
            done.err,
            "venv: python3.nonexistent is missing: install it "
            "(apt-get install python3)\n",
        )

    def test_refuses_an_old_python(self) -> None:
        """The line says which is needed."""
        self.command("python3", 'test "$1" = --version && echo Python 3.9.2')
        done = self.run_here(ROOT / "scripts" / "make-venv", self.directory / "venv")
        self.assertEqual(done.code, 1)
        self.assertIn("Python 3.9.2 is too old, 3.11 is needed", done.err)


class MakefileTests(SynchronousTestCase):
    """``make``."""

    def test_lists_its_targets(self) -> None:
        """Typed alone it explains itself, and does nothing."""
        done = run("make", "-C", ROOT, "--no-print-directory")
        named = {line.split()[1] for line in done.out.splitlines()}
        wanted = {"run", "test", "check", "bench", "docs", "clean", "deb"}
        self.assertEqual(wanted - named, set())
