"""
Which releases of etcd there are, how their lines differ, and which are known to be bad.

Pure. Everything that depends on etcd's version asks here, so that a new line of etcd is
a new row of one table.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from attrs import frozen

from e2d.model import ChildProblem, EtcdVersion, ProblemKind

__all__ = [
    "LINES",
    "Defect",
    "NotEtcd",
    "ReleaseLine",
    "corruption_flags",
    "corruption_gates",
    "defects",
    "line_of",
    "parse_version",
    "refusal",
    "version_warnings",
]

# `etcd --version` prints five short lines; what says more is something else.
_LIMIT_BYTES = 4096

_VERSION = re.compile(
    rb"^etcd Version: (\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:[-+~][^\r\n]{0,80})?\r?$",
    re.MULTILINE,
)


class NotEtcd(ValueError):
    """What ran does not print a version as etcd does."""


def parse_version(output: bytes) -> EtcdVersion:
    """
    The version in what ``etcd --version`` printed.

    :raises NotEtcd: there is none in it.
    """
    found = _VERSION.search(output[:_LIMIT_BYTES])
    if found is None:
        raise NotEtcd("no line 'etcd Version: X.Y.Z'")
    major, minor, patch = found.groups()
    return EtcdVersion(int(major), int(minor), int(patch))


@frozen(kw_only=True)
class ReleaseLine:
    """
    What one minor release can do that others can't.

    :param number: major and minor.
    :param feature_gates: knows ``--feature-gates``.
    :param compact_hash_check_since: the first patch release that can compare hashes
        at each compaction; None if none can.
    """

    number: tuple[int, int]
    feature_gates: bool
    compact_hash_check_since: int | None


LINES = (
    ReleaseLine(
        number=(3, 4),
        feature_gates=False,
        compact_hash_check_since=None,
    ),
    ReleaseLine(
        number=(3, 5),
        feature_gates=False,
        compact_hash_check_since=5,
    ),
    ReleaseLine(
        number=(3, 6),
        feature_gates=True,
        compact_hash_check_since=0,
    ),
    ReleaseLine(
        number=(3, 7),
        feature_gates=True,
        compact_hash_check_since=0,
    ),
)
"""Every line that e2d runs, oldest first."""


def line_of(version: EtcdVersion) -> ReleaseLine | None:
    """The line a version belongs to, None if e2d does not run it."""
    return next((line for line in LINES if line.number == version.line), None)


def corruption_flags(version: EtcdVersion) -> tuple[tuple[str, str], ...]:
    """Flags that turn on etcd's checks for corruption, off by default everywhere."""
    line = line_of(version)
    assert line is not None, version
    if line.feature_gates:
        return ()
    flags = [("experimental-initial-corrupt-check", "true")]
    since = line.compact_hash_check_since
    if since is not None and version.patch >= since:
        flags.append(("experimental-compact-hash-check-enabled", "true"))
    return tuple(flags)


def corruption_gates(version: EtcdVersion) -> tuple[tuple[str, str], ...]:
    """Feature gates that turn on etcd's checks for corruption, where it has gates."""
    line = line_of(version)
    assert line is not None, version
    if not line.feature_gates:
        return ()
    return (("InitialCorruptCheck", "true"), ("CompactHashCheck", "true"))


# -- known-bad releases ---------------------------------------------------------


@frozen(kw_only=True)
class Defect:
    """
    A defect of a range of releases that can lose or damage data.

    :param first: the first release that has it.
    :param last: the last release that has it.
    :param what: what may happen, as the end of a sentence.
    :param reference: etcd's issue or pull request.
    """

    first: EtcdVersion
    last: EtcdVersion
    what: str
    reference: str


_DEFECTS = (
    Defect(
        first=EtcdVersion(3, 4, 0),
        last=EtcdVersion(3, 4, 20),
        what="acknowledged writes can be lost when it is killed",
        reference="etcd#14370",
    ),
    Defect(
        first=EtcdVersion(3, 4, 20),
        last=EtcdVersion(3, 4, 21),
        what="members can disagree after a snapshot is received with auth on",
        reference="etcd#14648",
    ),
    Defect(
        first=EtcdVersion(3, 5, 0),
        last=EtcdVersion(3, 5, 2),
        what="members can disagree after it is killed under load",
        reference="etcd#13766",
    ),
    Defect(
        first=EtcdVersion(3, 5, 0),
        last=EtcdVersion(3, 5, 4),
        what="acknowledged writes can be lost when it is killed",
        reference="etcd#14370",
    ),
    Defect(
        first=EtcdVersion(3, 5, 0),
        last=EtcdVersion(3, 5, 5),
        what="members can disagree after it is killed while it defragments",
        reference="etcd#14685",
    ),
    Defect(
        first=EtcdVersion(3, 5, 5),
        last=EtcdVersion(3, 5, 5),
        what="members can disagree after a snapshot is received with auth on",
        reference="etcd#14648",
    ),
)

_GOOD = {(3, 4): EtcdVersion(3, 4, 22), (3, 5): EtcdVersion(3, 5, 6)}
"""The first release of a line that has none of the defects."""


def defects(version: EtcdVersion) -> tuple[Defect, ...]:
    """What is known to be wrong with a release, () for nothing that risks data."""
    return tuple(
        defect for defect in _DEFECTS if defect.first <= version <= defect.last
    )


def _described(version: EtcdVersion) -> str:
    return "; ".join(f"{each.what} ({each.reference})" for each in defects(version))


def refusal(
    version: EtcdVersion, *, cluster_size: int, allowed: Collection[str]
) -> ChildProblem | None:
    """
    Why e2d does not run this release here, None if it does.

    One node alone may run a release with known defects, with a warning: it has nobody
    to disagree with, and what it holds was already entrusted to it.

    :param cluster_size: ``requiredClusterSize``.
    :param allowed: ``etcd.allowVersion``: versions that the operator accepts.
    """
    if line_of(version) is None:
        first, last = LINES[0].number, LINES[-1].number
        return ChildProblem(
            kind=ProblemKind.VERSION_REFUSED,
            message=f"etcd {version} is not a version that e2d runs "
            f"({first[0]}.{first[1]} to {last[0]}.{last[1]})",
            remedy="install an etcd of a supported line, or name one in etcd.binary",
        )
    if not defects(version) or cluster_size <= 1 or str(version) in allowed:
        return None
    return ChildProblem(
        kind=ProblemKind.VERSION_REFUSED,
        message=f"etcd {version} is not fit for a cluster: {_described(version)}",
        remedy=f"install etcd {_GOOD[version.line]} or later; to run it all the same "
        f'set etcd.allowVersion: ["{version}"]',
    )


def version_warnings(version: EtcdVersion) -> tuple[str, ...]:
    """What an operator should know of a release, for as long as it runs."""
    if not defects(version):
        return ()
    return (
        f"etcd {version} is known to be bad: {_described(version)}; "
        f"install etcd {_GOOD[version.line]} or later",
    )
