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


class BuildGopeerTests(ScriptTestCase):
    """``scripts/build-gopeer``, in a tree of its own, with a Go that builds nothing."""

    GO = """
case "$1" in
    env) echo go1.{minor}.1 ;;
    get) {get} ;;
    build) touch gopeer && chmod +x gopeer && echo built >>"{log}" ;;
esac
"""

    def setUp(self) -> None:
        """A copy of the script and of the program, and Debian's sources unpacked."""
        super().setUp()
        program = "tests/integration/gopeer"
        shutil.copytree(ROOT / program, self.directory / program)
        (self.directory / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "build-gopeer", self.directory / "scripts")
        (self.directory / "build" / "gocode").mkdir(parents=True)
        self.log = self.directory / "log"
        self.log.touch()

    def go(self, minor: int = 26, get: str = "true") -> str:
        """What a Go does whose proxy answers, or does not."""
        return self.GO.format(minor=minor, get=get, log=self.log)

    def build(self) -> Outcome:
        """Run it."""
        return self.run_here(self.directory / "scripts" / "build-gopeer")

    def built(self) -> list[str]:
        """Which lines there are."""
        found = (self.directory / "build" / "gopeer").glob("*/gopeer")
        return sorted(each.parent.name for each in found)

    def test_builds_once(self) -> None:
        """Both lines, and then nothing until the program changes."""
        self.command("go", self.go())
        self.assertEqual(self.build().code, 0)
        self.assertEqual(self.built(), ["0.2", "0.7"])
        self.assertEqual(self.build(), Outcome(code=0, out="", err=""))
        self.assertEqual(self.log.read_text(), "built\n" * 2)
        more = self.directory / "tests/integration/gopeer/more.go"
        more.write_text("package main\n")
        self.assertEqual(self.build().code, 0)
        self.assertEqual(self.log.read_text(), "built\n" * 4)

    def test_does_without_the_proxy(self) -> None:
        """Debian's line needs none; of the other it says where to look."""
        self.command("go", self.go(get="echo no network >&2; exit 1"))
        done = self.build()
        self.assertEqual(done.code, 0)
        self.assertEqual(self.built(), ["0.2"])
        log = self.directory / "build/gopeer/0.7/build.log"
        self.assertIn(
            f"could not be built (see {log}): its tests are skipped", done.err
        )
        self.assertIn("no network", log.read_text())

    def test_builds_what_its_go_can(self) -> None:
        """Go 1.24 gets the last release that asks for no more."""
        self.command("go", self.go(minor=24))
        self.assertEqual(self.build().code, 0)
        self.assertEqual(self.built(), ["0.2", "0.5"])

    def test_fetches_go(self) -> None:
        """An older Go is left alone, and Debian's unpacked."""
        self.command("go", self.go(minor=19))
        newer = self.command("newer", self.go(minor=24))
        fetch = self.directory / "scripts" / "fetch-debs"
        fetch.write_text(
            f'#!/bin/sh\nmkdir -p "$2/usr/lib/go-1.24/bin"\n'
            f'cp {newer} "$2/usr/lib/go-1.24/bin/go"\n'
        )
        fetch.chmod(0o755)
        done = self.build()
        self.assertEqual(done.code, 0)
        self.assertIn("with go1.24.1", done.err)
        self.assertEqual(self.built(), ["0.2", "0.5"])

    def test_fails_without_debians_line(self) -> None:
        """Who asked for the peers learns that there are none."""
        self.command("go", 'test "$1" = env && echo go1.26.1')
        self.assertEqual(self.build().code, 1)
        self.assertEqual(self.built(), [])

    def test_fails_without_go(self) -> None:
        """One line says what to install."""
        self.command("go", "exit 1")
        fetch = self.directory / "scripts" / "fetch-debs"
        fetch.write_text("#!/bin/sh\nexit 1\n")
        fetch.chmod(0o755)
        done = self.build()
        self.assertEqual(done.code, 1)
        self.assertIn("apt-get install golang-go", done.err)


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
