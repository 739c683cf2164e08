"""Why etcd ended: on the words of real etcds, and on its status alone."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.diagnosis import Exit, diagnose
from e2d.etcd.logs import LogLevel, LogLine, parse_line
from e2d.model import ChildProblem, ProblemKind

_FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "etcd-logs"
_EXITS = json.loads((_FIXTURES / "exits.json").read_text())

_KINDS = {
    "address": ProblemKind.ADDRESS_UNAVAILABLE,
    "bad-flag": ProblemKind.BAD_FLAG,
    "bad-level": ProblemKind.BAD_FLAG,
    "bad-setting": ProblemKind.BAD_FLAG,
    "bad-value": ProblemKind.BAD_FLAG,
    "cert-garbage": ProblemKind.CERTIFICATE,
    "cert-mismatch": ProblemKind.CERTIFICATE,
    "cert-missing": ProblemKind.CERTIFICATE,
    "count-mismatch": ProblemKind.CLUSTER_MISMATCH,
    "db-garbage": ProblemKind.DATA_CORRUPT,
    "db-page": ProblemKind.DATA_CORRUPT,
    "disk-full": ProblemKind.DISK_FULL,
    "disk-full-db": ProblemKind.DISK_FULL,
    "existing-alone": ProblemKind.NOT_READY,
    "io-error": ProblemKind.DISK_FAILED,
    "permission": ProblemKind.PERMISSION_DENIED,
    "permission-db": ProblemKind.PERMISSION_DENIED,
    "permission-new": ProblemKind.PERMISSION_DENIED,
    "port-client": ProblemKind.PORT_IN_USE,
    "port-metrics": ProblemKind.PORT_IN_USE,
    "port-peer": ProblemKind.PORT_IN_USE,
    "read-only": ProblemKind.DISK_FAILED,
    "removed": ProblemKind.MEMBER_REMOVED,
    "too-new": ProblemKind.DATA_TOO_NEW,
    "wal-crc": ProblemKind.DATA_CORRUPT,
    "wrong-name": ProblemKind.CLUSTER_MISMATCH,
}


# At their default level these end with code 0 and without a word.
_SILENT = {"removed-3.4-error", "removed-3.5-error"}


_DATA = "/var/lib/etcd"


def _diagnosed(name: str) -> ChildProblem:
    lines = (_FIXTURES / f"{name}.log").read_bytes().splitlines()
    said = [parse_line(line) for line in lines if line][-200:]
    return diagnose(Exit(code=_EXITS[name]), said, _DATA, ["/nonexistent/server.crt"])


class RealWordsTests(SynchronousTestCase):
    """What etcds of every line said when they would not run."""

    def test_every_situation_is_recognised(self) -> None:
        """Each recorded end is recognised, at level error as at level info."""
        seen = {name: _diagnosed(name).kind for name in _EXITS}
        wanted = {name: _KINDS[name.rsplit("-", 2)[0]] for name in _EXITS}
        wanted.update(dict.fromkeys(_SILENT, ProblemKind.EXITED))
        self.assertEqual(seen, wanted)
        self.assertGreater(len(seen), 100)

    def test_port_is_named(self) -> None:
        """The address that is taken is in the message."""
        problem = _diagnosed("port-metrics-3.5-error")
        self.assertEqual(
            problem.message,
            "etcd can't listen on 127.0.0.1:22012: the port is in use",
        )
        self.assertIn("ss -ltnp", problem.remedy)

    def test_damage_is_quoted(self) -> None:
        """What is said of the damage itself is quoted, not a trace of Go's."""
        self.assertEqual(
            _diagnosed("db-page-3.5-error").message,
            "the data is damaged: panic: assertion failed: Page expected to be: 3, "
            "but self identifies as 18446744073709551615",
        )

    def test_flag_is_named(self) -> None:
        """The flag that etcd does not know is in the message."""
        problem = _diagnosed("bad-flag-3.4-error")
        self.assertIn("--nonsense", problem.message)
        self.assertEqual(problem.remedy, "correct etcd.extraArgs")

    def test_silence_is_explained(self) -> None:
        """An etcd that refused its settings without a word is told to say why."""
        problem = _diagnosed("bad-setting-3.5-error")
        self.assertIn("EtcdLogLevel: info", problem.remedy)

    def test_silence_on_a_full_disk(self) -> None:
        """Where there is no room for its words, the disk is the reason, not a flag."""
        problem = diagnose(Exit(code=1), [], _DATA, no_room=True)
        self.assertEqual(problem.kind, ProblemKind.DISK_FULL)
        self.assertEqual(
            problem.message,
            "the disk is full: etcd ended with exit code 1 and had no room to log why",
        )

    def test_words_on_a_full_disk(self) -> None:
        """What it could still say is the reason, whatever room there is."""
        line = parse_line(b"listen tcp 127.0.0.1:1: bind: address already in use")
        problem = diagnose(Exit(code=1), [line], _DATA, no_room=True)
        self.assertEqual(problem.kind, ProblemKind.PORT_IN_USE)

    def test_missing_certificate_is_named(self) -> None:
        """A certificate's file that is not there is in the message."""
        problem = _diagnosed("cert-missing-3.6-error")
        self.assertIn("/nonexistent/server.crt", problem.message)

    def test_newer_version_is_named(self) -> None:
        """The version that wrote the data is in the message."""
        problem = _diagnosed("too-new-3.4-error")
        self.assertIn("determined-cluster-version=3.5", problem.message)

    def test_paths_are_real(self) -> None:
        """A remedy names the data directory as it is, never as a word for it."""
        remedies = [_diagnosed(name).remedy for name in _EXITS]
        self.assertEqual([line for line in remedies if set(line) & set("<>{}")], [])
        self.assertIn(
            "chown -R USER /var/lib/etcd", _diagnosed("permission-3.5-error").remedy
        )

    def test_one_line(self) -> None:
        """Every message and every way out is one line that fits a terminal or two."""
        for name in _EXITS:
            problem = _diagnosed(name)
            for text in (problem.message, problem.remedy):
                self.assertNotIn("\n", text)
                self.assertTrue(0 < len(text) < 400, text)


class StatusTests(SynchronousTestCase):
    """What the exit status alone tells."""

    def test_ended_well_in_silence(self) -> None:
        """Exit code 0 alone does not prove a removal, which would end all starts."""
        old = LogLine(level=LogLevel.ERROR, message="address already in use")
        problem = diagnose(Exit(code=0), [old], _DATA)
        self.assertEqual(problem.kind, ProblemKind.EXITED)
        self.assertEqual(
            problem.message,
            "etcd ended with exit code 0 without saying why; a member that was removed "
            "from its cluster does so",
        )

    def test_removed_in_words_of_any_level(self) -> None:
        """A member that says it was removed was, at whatever level it says so."""
        for level in (LogLevel.INFO, LogLevel.WARN, LogLevel.ERROR):
            words = "the member has been permanently removed from the cluster"
            line = LogLine(level=level, message=words)
            problem = diagnose(Exit(code=0), [line], _DATA)
            self.assertEqual(problem.kind, ProblemKind.MEMBER_REMOVED)

    def test_killed(self) -> None:
        """SIGKILL hints at a lack of memory."""
        problem = diagnose(Exit(signal=signal.SIGKILL), [], _DATA)
        self.assertEqual(problem.kind, ProblemKind.KILLED)
        self.assertEqual(problem.message, "etcd was killed by SIGKILL")
        self.assertIn("out of memory", problem.remedy)

    def test_killed_whatever_it_said_before(self) -> None:
        """An old error is not why it was killed."""
        old = LogLine(level=LogLevel.ERROR, message="no space left on device")
        problem = diagnose(Exit(signal=signal.SIGTERM), [old], _DATA)
        self.assertEqual(problem.message, "etcd was killed by SIGTERM")

    def test_unknown_signal(self) -> None:
        """A signal without a name has its number."""
        problem = diagnose(Exit(signal=63), [], _DATA)
        self.assertIn("63", problem.message)

    def test_last_error_is_quoted(self) -> None:
        """What no rule knows is quoted with the exit code."""
        line = LogLine(
            level=LogLevel.FATAL, message="strange", fields=(("error", "very"),)
        )
        problem = diagnose(Exit(code=3), [line], _DATA)
        self.assertEqual(problem.kind, ProblemKind.EXITED)
        self.assertEqual(
            problem.message, "etcd ended with exit code 3: strange error=very"
        )

    def test_last_words_before_old_errors(self) -> None:
        """The words it died with outweigh an error that it outlived."""
        old = LogLine(level=LogLevel.ERROR, message="x", fields=(("error", "EOF"),))
        full = LogLine(level=LogLevel.ERROR, message="no space left on device")
        last = LogLine(level=LogLevel.FATAL, message="walpb: crc mismatch")
        problem = diagnose(Exit(code=1), [full, old, last], _DATA)
        self.assertEqual(problem.kind, ProblemKind.DATA_CORRUPT)

    def test_end_of_an_adopted_etcd(self) -> None:
        """How an etcd ended that was not our child is said to be unknown."""
        problem = diagnose(Exit(), [], _DATA)
        self.assertIn("can't be known", problem.message)

    def test_not_executable(self) -> None:
        """The codes of a failed execution point to the binary."""
        self.assertEqual(
            diagnose(Exit(code=127), [], _DATA).kind, ProblemKind.BINARY_MISSING
        )

    @given(st.integers(0, 255), st.lists(st.binary(max_size=300), max_size=20))
    def test_any_words(self, code: int, raw: list[bytes]) -> None:
        """Whatever is said, there is one line about it."""
        problem = diagnose(Exit(code=code), [parse_line(each) for each in raw], _DATA)
        self.assertEqual(problem.message.splitlines(), [problem.message])
