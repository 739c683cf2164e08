"""
Why etcd ended, from its exit status and its last words. Pure.

The words are those of real etcds of every line, kept in ``tests/fixtures/etcd-logs``.
At its default level, ``error``, etcd says little: what it does not say there is deduced
from how it ended, and the deduction is said as one.
"""

from __future__ import annotations

import re
import signal as signals
from collections.abc import Callable, Collection, Sequence

from attrs import evolve, frozen

from e2d.etcd.logs import LogLevel, LogLine
from e2d.model import ChildProblem, ProblemKind

__all__ = ["Exit", "diagnose"]


@frozen(kw_only=True)
class Exit:
    """
    How a process ended; both None when that can't be known (it was not our child).

    :param code: its exit code.
    :param signal: the signal that killed it.
    """

    code: int | None = None
    signal: int | None = None


_QUOTE_LIMIT = 300

_DATA_DIR = "{data_dir}"
"""In a remedy: the data directory's path."""

_LOG_REMEDY = f"its log has the details: {_DATA_DIR}/e2d/etcd.log"
_FULL_REMEDY = (
    "free some space (etcd needs 150 MB for its log alone) or enlarge the disk"
)
_CERTIFICATE_REMEDY = "check the files that caCert and certs name"
_CORRUPT_REMEDY = (
    "don't delete anything; check the disk first. If other members are healthy, remove "
    "this one (etcdctl member remove) and add it anew; else restore a snapshot"
)


@frozen(kw_only=True)
class _Rule:
    """
    Words and what they mean.

    :param message: made from the match.
    """

    pattern: re.Pattern[str]
    kind: ProblemKind
    message: Callable[[re.Match[str]], str]
    remedy: str


def _rule(
    pattern: str,
    kind: ProblemKind,
    message: Callable[[re.Match[str]], str],
    remedy: str,
) -> _Rule:
    return _Rule(pattern=re.compile(pattern), kind=kind, message=message, remedy=remedy)


def _quote(text: str) -> str:
    return text if len(text) <= _QUOTE_LIMIT else text[: _QUOTE_LIMIT - 3] + "..."


def _quoted(prefix: str) -> Callable[[re.Match[str]], str]:
    return lambda match: f"{prefix}: {_quote(match.string)}"


_REMOVED = _rule(
    # At level error 3.6 and 3.7 say no more than that their server stopped by
    # itself before it was ready, which only a removal makes it do: an etcd that
    # was told to end does not say so.
    r"permanently removed|data-dir used by this member must be removed"
    r"|^listener failed error=server is stopping",
    ProblemKind.MEMBER_REMOVED,
    lambda _: "this member was removed from the cluster; its id never comes back",
    "it can only join anew, with an empty data directory",
)

_RULES = (
    _rule(
        r"listen \w+ (\S+): bind: address already in use",
        ProblemKind.PORT_IN_USE,
        lambda match: f"etcd can't listen on {match[1]}: the port is in use",
        "end what listens there (ss -ltnp shows it), or choose another clientAddr, "
        "peerAddr or metrics.addr",
    ),
    _rule(
        r"listen \w+ (\S+): bind: cannot assign requested address",
        ProblemKind.ADDRESS_UNAVAILABLE,
        lambda match: f"etcd can't listen on {match[1]}: this host has no such address",
        "correct clientAddr, peerAddr or metrics.addr, or configure the address",
    ),
    _rule(
        r"listen \w+ (\S+): bind: permission denied",
        ProblemKind.PERMISSION_DENIED,
        lambda match: f"etcd may not listen on {match[1]}",
        "choose a port above 1023, or give e2d CAP_NET_BIND_SERVICE",
    ),
    _rule(
        r"flocked by another process|file already locked|cannot lock",
        ProblemKind.DATA_LOCKED,
        _quoted("another process has the data directory open"),
        f"find it with fuser -v {_DATA_DIR}/member/snap/db and end it",
    ),
    _REMOVED,
    _rule(
        r"invalid downgrade|cannot be downgraded|lower than (?:the )?determined cluster"
        r"|(?:storage|cluster) version.*(?:newer|higher)"
        r"|error=version \"[\d.]+\" is not supported",
        ProblemKind.DATA_TOO_NEW,
        _quoted("the data is of a newer etcd than this one"),
        "install the etcd that wrote it (etcd steps back one minor version at most, "
        "and only when prepared: etcdctl downgrade)",
    ),
    _rule(
        r"cluster ID mismatch|error validating peerURLs|member count is unequal"
        r"|couldn't find local name|has not been bootstrapped|unmatched member",
        ProblemKind.CLUSTER_MISMATCH,
        _quoted("the data or the members named are of another cluster"),
        "compare the initial members and the data directory with the cluster's "
        "member list; don't delete data to make it start",
    ),
    _rule(
        r"cannot fetch cluster info from peer urls",
        ProblemKind.NOT_READY,
        lambda _: "etcd could not join: none of the members named to it answered",
        "start the other members, or check that their peer addresses can be reached",
    ),
    _rule(
        r"no space left on device|disk quota exceeded",
        ProblemKind.DISK_FULL,
        _quoted("the disk is full"),
        _FULL_REMEDY,
    ),
    _rule(
        r"input/output error|read-only file system|structure needs cleaning",
        ProblemKind.DISK_FAILED,
        _quoted("the disk failed or is read-only"),
        "look at the kernel's log (dmesg); repair or replace the disk",
    ),
    _rule(
        r"tls: |x509: |failed to find any PEM|could not load cert"
        r"|registerGateway failed",
        ProblemKind.CERTIFICATE,
        _quoted("a certificate or key can't be used"),
        _CERTIFICATE_REMEDY,
    ),
    _rule(
        r"permission denied|operation not permitted",
        ProblemKind.PERMISSION_DENIED,
        _quoted("etcd may not use its files"),
        "give the data directory to the user that e2d runs as: chown -R USER "
        f"{_DATA_DIR}",
    ),
    _rule(
        r"crc mismatch|invalid database|freepages|Page expected to be|page \d+ already"
        r"|checksum error|failed to recover v3 backend|failed to open database"
        r"|unexpected fault address|is out of range|CORRUPT|corrupt|unexpected EOF"
        r"|snap: |wal: |walpb: |failed to (?:open|read|restore) WAL|fail to read WAL",
        ProblemKind.DATA_CORRUPT,
        _quoted("the data is damaged"),
        _CORRUPT_REMEDY,
    ),
    _rule(
        r"flag provided but not defined: -+(\S+)|invalid value .* for flag -+(\S+):",
        ProblemKind.BAD_FLAG,
        lambda match: (
            f"etcd does not take --{match[1] or match[2]} as it is given: "
            f"{_quote(match.string)}"
        ),
        "correct etcd.extraArgs",
    ),
    _rule(
        r"failed to verify flags|conflicting environment variable|unknown level"
        r"|unrecognized level|[Uu]nrecognized feature gate|cannot specify both flags"
        r"|error setting (?:feature|flag)|unrecognized feature",
        ProblemKind.BAD_FLAG,
        _quoted("etcd refused its settings"),
        "correct etcd.extraArgs or etcd.env",
    ),
)

# Said at a level below error, and yet the reason for the end.
_TELLING_WARNINGS = re.compile(
    r"failed to verify flags|permanently removed|flocked by another process"
    r"|must be removed|failed to start etcd"
)


def _telling(line: LogLine) -> bool:
    if line.level in {LogLevel.ERROR, LogLevel.FATAL}:
        return True
    return _TELLING_WARNINGS.search(line.message) is not None


def diagnose(
    ended: Exit,
    lines: Sequence[LogLine],
    data_dir: str,
    certificate_files: Collection[str] = (),
    *,
    no_room: bool = False,
) -> ChildProblem:
    """
    What was wrong, in one line, and the way out.

    :param lines: what etcd said since it was started, the end of it at least.
    :param data_dir: its data directory.
    :param certificate_files: paths of which etcd would complain by name only.
    :param no_room: on the disk of its log: there its last words may be missing.
    """
    problem = _diagnose(ended, lines, certificate_files, no_room=no_room)
    return evolve(problem, remedy=problem.remedy.replace(_DATA_DIR, data_dir))


def _diagnose(
    ended: Exit,
    lines: Sequence[LogLine],
    certificate_files: Collection[str],
    *,
    no_room: bool,
) -> ChildProblem:
    if ended.signal is not None:
        return _killed(ended.signal)
    if ended.code == 0:
        return _ended_well(lines)
    # The words it died with, the first of them before Go repeats them, tell more than
    # usage and traces, and those more than an error that it outlived, however old.
    last = [line for line in lines if line.level is LogLevel.FATAL]
    text = [line for line in lines if line.level is None]
    before = [line for line in reversed(lines) if _telling(line)]
    for words in (last, text, before):
        problem = _recognise(words, certificate_files)
        if problem is not None:
            return problem
    return _full(ended) if no_room else _unrecognised(ended, lines)


def _recognise(
    lines: Sequence[LogLine], certificate_files: Collection[str]
) -> ChildProblem | None:
    for line in lines:
        if any(path in line.text for path in certificate_files):
            return ChildProblem(
                kind=ProblemKind.CERTIFICATE,
                message=f"a certificate or key can't be used: {_quote(line.text)}",
                remedy=_CERTIFICATE_REMEDY,
            )
    # A rule that comes first is the more certain, wherever its words are.
    for rule in _RULES:
        for line in lines:
            match = rule.pattern.search(line.text)
            if match is not None:
                return _problem(rule, match)
    return None


def _problem(rule: _Rule, match: re.Match[str]) -> ChildProblem:
    return ChildProblem(kind=rule.kind, message=rule.message(match), remedy=rule.remedy)


def _ended_well(lines: Sequence[LogLine]) -> ChildProblem:
    # So ends a member that was removed, which 3.4 and 3.5 do not say at level error.
    # And so ends a wrapper, or an etcd that is process 1 of a container, that somebody
    # sent SIGTERM. Only words prove a removal: what is taken for one starts no more.
    for line in lines:
        match = _REMOVED.pattern.search(line.text)
        if match is not None:
            return _problem(_REMOVED, match)
    return ChildProblem(
        kind=ProblemKind.EXITED,
        message="etcd ended with exit code 0 without saying why; a member that was "
        "removed from its cluster does so",
        remedy="compare with the cluster's member list; EtcdLogLevel: info makes etcd "
        "say why",
    )


def _full(ended: Exit) -> ChildProblem:
    how = "" if ended.code is None else f" with exit code {ended.code}"
    return ChildProblem(
        kind=ProblemKind.DISK_FULL,
        message=f"the disk is full: etcd ended{how} and had no room to log why",
        remedy=_FULL_REMEDY,
    )


def _unrecognised(ended: Exit, lines: Sequence[LogLine]) -> ChildProblem:
    if ended.code in {126, 127}:
        return ChildProblem(
            kind=ProblemKind.BINARY_MISSING,
            message="etcd could not be executed",
            remedy="install etcd, or correct etcd.binary",
        )
    said = [line for line in lines if line.severe] or list(lines)
    how = "" if ended.code is None else f" with exit code {ended.code}"
    if said:
        return ChildProblem(
            kind=ProblemKind.EXITED,
            message=f"etcd ended{how}: {_quote(said[-1].text)}",
            remedy=_LOG_REMEDY,
        )
    if ended.code is None:
        return ChildProblem(
            kind=ProblemKind.EXITED,
            message="etcd ended; how can't be known, an earlier e2d had started it",
            remedy=_LOG_REMEDY,
        )
    # Seen on 3.4 and 3.5: settings that contradict each other end it at level warn.
    return ChildProblem(
        kind=ProblemKind.BAD_FLAG,
        message=f"etcd ended{how} without a word, as it does when it refuses its "
        "settings",
        remedy="check etcd.extraArgs and etcd.env; EtcdLogLevel: info makes it say why",
    )


def _killed(number: int) -> ChildProblem:
    try:
        name = signals.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    remedy = _LOG_REMEDY
    if number == signals.SIGKILL:
        remedy = (
            "if nobody did, it was out of memory: see dmesg | grep -i oom, and give "
            "the machine or the unit more"
        )
    return ChildProblem(
        kind=ProblemKind.KILLED, message=f"etcd was killed by {name}", remedy=remedy
    )
