"""
One small file outside the volume: which member this host last held (A7, A8).

A data directory whose volume is not mounted looks empty. The breadcrumb, kept where the
volume's absence does not take it along, tells it from one that is: in systemd's state
directory, and beside the mount point when the directory is on a volume of its own and
the state directory, if there is one, is not on another. Where there is no such place,
nothing is kept: then data directory and host live and die together.

Note [On one volume with the program]: where e2d itself is installed on the volume that
its data is on (a checkout below ``/home``, say), there is no e2d that could find the
volume missing. Nothing is kept beside the mount point then: e2d can seldom write there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence

from attrs import frozen

from e2d.etcd.forms import required
from e2d.files import make_directory, read_file, write_file
from e2d.interfaces import DataDirectoryError
from e2d.model import ClusterID, MemberID, NodeID, NodeName

__all__ = ["Breadcrumb", "find_breadcrumb", "keep_breadcrumb"]

_LIMIT_BYTES = 4096


@frozen(kw_only=True)
class Breadcrumb:
    """
    What this host last held.

    :param data_directory: where.
    """

    data_directory: str
    node_id: NodeID
    name: NodeName | None
    member_id: MemberID
    cluster_id: ClusterID


def keep_breadcrumb(
    breadcrumb: Breadcrumb, state_directory: str | None, program: str = __file__
) -> Sequence[str]:
    """
    Have the breadcrumb on disk, wherever it belongs. Blocks. Idempotent.

    :param state_directory: a directory of the host's, None if it has none for us.
    :param program: a file of e2d's own; see Note [On one volume with the program].
    :return: a line for each place where it could not be kept.
    """
    content = _encode(breadcrumb)
    problems = []
    try:
        places = list(_places(breadcrumb.data_directory, state_directory, program))
    except OSError as error:
        return [_problem(error, breadcrumb.data_directory)]
    for path in places:
        try:
            if read_file(path, _LIMIT_BYTES) == content:
                continue
            make_directory(os.path.dirname(path))
            write_file(path, content)
        except (OSError, ValueError) as error:
            problems.append(_problem(error, path))
    return problems


def _problem(error: OSError | ValueError, path: str) -> str:
    what = error.strerror if isinstance(error, OSError) else str(error)
    return (
        f"{path}: could not keep the breadcrumb that tells a volume that is not "
        f"mounted from an empty one: {what}; let e2d write there, or set "
        "$STATE_DIRECTORY to a directory on the host's own disk"
    )


def find_breadcrumb(
    data_directory: str, state_directory: str | None
) -> tuple[str, Breadcrumb | None] | None:
    """
    The breadcrumb of a directory. Blocks.

    It is looked for beside every directory above too: what is not mounted now was
    perhaps a mount point then.

    :return: its path, and what it says if that can be told; None if there is none.
    """
    for path in _all_places(data_directory, state_directory):
        try:
            content = read_file(path, _LIMIT_BYTES)
        except (OSError, ValueError):
            # Something has its name. That is enough not to take the data for empty,
            # unless we may not even look: then it cannot be ours.
            if not os.path.lexists(path):
                continue
            return path, None
        if content is not None:
            return path, _decode(content, path)
    return None


def _places(
    data_directory: str, state_directory: str | None, program: str
) -> Iterator[str]:
    """Where it is kept."""
    if state_directory is not None:
        yield _in_state_directory(data_directory, state_directory)
    mount_point = _mount_point(data_directory)
    if mount_point == "/" or _elsewhere(state_directory, data_directory):
        return
    if os.stat(program).st_dev != os.stat(data_directory).st_dev:
        yield _beside(mount_point, data_directory)


def _elsewhere(state_directory: str | None, data_directory: str) -> bool:
    if state_directory is None or not os.path.isdir(state_directory):
        return False
    return os.stat(state_directory).st_dev != os.stat(data_directory).st_dev


def _all_places(data_directory: str, state_directory: str | None) -> Iterator[str]:
    """Where it may have been kept."""
    if state_directory is not None:
        yield _in_state_directory(data_directory, state_directory)
    above = data_directory
    while above != "/":
        yield _beside(above, data_directory)
        above = os.path.dirname(above)


def _mount_point(path: str) -> str:
    """The root of the volume that a directory is on."""
    device = os.stat(path).st_dev
    while path != "/" and os.stat(os.path.dirname(path)).st_dev == device:
        path = os.path.dirname(path)
    return path


def _digest(data_directory: str) -> str:
    """One volume may hold several data directories, each with its own breadcrumb."""
    return hashlib.sha256(os.fsencode(data_directory)).hexdigest()[:16]


def _in_state_directory(data_directory: str, state_directory: str) -> str:
    name = f"breadcrumb-{_digest(data_directory)}.json"
    return os.path.join(state_directory, name)


def _beside(directory: str, data_directory: str) -> str:
    name = f".e2d-breadcrumb-{_digest(data_directory)}.json"
    return os.path.join(os.path.dirname(directory), name)


def _encode(breadcrumb: Breadcrumb) -> bytes:
    record = {
        "dataDir": breadcrumb.data_directory,
        "node": breadcrumb.node_id,
        "name": breadcrumb.name or "",
        "member": breadcrumb.member_id,
        "cluster": breadcrumb.cluster_id,
    }
    return json.dumps(record, indent=1, sort_keys=True).encode() + b"\n"


def _decode(content: bytes, path: str) -> Breadcrumb | None:
    try:
        record = json.loads(content)
        if not isinstance(record, dict):
            return None
        return Breadcrumb(
            data_directory=required(record, "dataDir", str, path),
            node_id=NodeID(required(record, "node", str, path)),
            name=NodeName(required(record, "name", str, path)) or None,
            member_id=MemberID(required(record, "member", int, path)),
            cluster_id=ClusterID(required(record, "cluster", int, path)),
        )
    except (ValueError, RecursionError, DataDirectoryError):
        return None
