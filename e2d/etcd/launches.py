"""
What is written down about a start of etcd, so that a later e2d can find it again.

It is written twice: before the start, with an id that etcd carries in its environment,
and after it, with the pid. An e2d that is killed in between leaves enough to search by.

Note [Without a record]: the record can be lost, stale, or never written, because the
disk was full when etcd was started on its data. So an etcd is ours also when it carries
an id, whichever it is, was given our data directory, and runs as our user: such a
process was started by an e2d for this directory, and this e2d, which has the lock of
the directory, is the only one now. What it was started with is read from its arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from e2d.etcd.command import LAUNCH_VARIABLE, EtcdSettings, address_flags, arguments
from e2d.etcd.processes import Processes, RunningProcess
from e2d.etcd.versions import line_of
from e2d.model import Elsewhere, EtcdStart, EtcdVersion, InitialState, NodeName

__all__ = ["Launch", "Orphan", "elsewhere", "find_orphan", "outdated"]

# What a start decides, as flags of etcd.
_FLAGS = ("name", "initial-cluster", "initial-cluster-token", "initial-cluster-state")


@frozen(kw_only=True)
class Launch:
    """
    One start of etcd.

    :param launch_id: random; in etcd's environment.
    :param boot_id: the boot of the machine in which it was started.
    :param version: of the binary, as text; None if it is not known.
    :param command: the program and its arguments.
    :param pid: None while it is not known.
    :param start_time: of the process, in clock ticks since the boot.
    """

    launch_id: str
    boot_id: str
    version: str | None
    command: tuple[str, ...]
    start: EtcdStart
    pid: int | None = None
    start_time: int | None = None

    def spawned(self, pid: int, start_time: int | None) -> Launch:
        """The same launch, now that it runs."""
        return evolve(self, pid=pid, start_time=start_time)

    def to_record(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "launch_id": self.launch_id,
            "boot_id": self.boot_id,
            "version": self.version,
            "command": list(self.command),
            "start": {
                "name": self.start.name,
                "peers": [list(peer) for peer in self.start.peers],
                "token": self.start.token,
                "state": self.start.state.value,
            },
            "pid": self.pid,
            "start_time": self.start_time,
        }

    @classmethod
    def from_command(
        cls, launch_id: str, boot_id: str, command: tuple[str, ...]
    ) -> Launch | None:
        """
        A launch as the arguments of its process show it; None if they are not ours.

        :param command: as it runs; words before the program (an interpreter) count not.
        """
        first = next(
            (at for at, each in enumerate(command) if each.startswith("--")), 0
        )
        flags = _flags_of(command)
        try:
            name, peers, token, state = (flags[each] for each in _FLAGS)
            start = EtcdStart(
                name=NodeName(_text(name)),
                peers=tuple(_peer(each) for each in peers.split(",")),
                token=token,
                state=InitialState(state),
            )
        except (KeyError, ValueError):
            return None
        return cls(
            launch_id=launch_id,
            boot_id=boot_id,
            version=None,
            command=command[max(0, first - 1) :],
            start=start,
        )

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Launch | None:
        """A launch as it was written, None if the record is none (another e2d's?)."""
        try:
            return cls(
                launch_id=_text(record["launch_id"]),
                boot_id=_text(record["boot_id"]),
                version=_text(record["version"]),
                command=tuple(_text(each) for each in _list(record["command"])),
                start=_start(record["start"]),
                pid=_number(record.get("pid")),
                start_time=_number(record.get("start_time")),
            )
        except (KeyError, ValueError):
            return None


def _flags_of(command: Sequence[str]) -> dict[str, str]:
    return dict(each[2:].split("=", 1) for each in command if "=" in each[2:])


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _number(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError
    return value


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 - one error for whatever is not a record
    return value


def _peer(text: str) -> tuple[NodeName, str]:
    name, _, url = text.partition("=")
    return NodeName(_text(name)), _text(url)


def _start(value: object) -> EtcdStart:
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 - one error for whatever is not a record
    peers = []
    for each in _list(value["peers"]):
        name, url = _list(each)
        peers.append((NodeName(_text(name)), _text(url)))
    return EtcdStart(
        name=NodeName(_text(value["name"])),
        peers=tuple(peers),
        token=_text(value["token"]),
        state=InitialState(value["state"]),
    )


@frozen(kw_only=True)
class Orphan:
    """
    An etcd that an earlier e2d started here, still running.

    :param start_time: in clock ticks since the boot.
    :param launch_id: what it carries in its environment.
    :param launch: what it was started with, None if that can't be told.
    """

    pid: int
    start_time: int
    launch_id: str
    launch: Launch | None


def find_orphan(
    launch: Launch | None, data_dir: str, processes: Processes
) -> Orphan | RunningProcess | None:
    """
    The etcd that a launch led to, or whoever else uses the data. Blocks.

    :param launch: what is on record.
    :return: a `RunningProcess` is not ours; None: nobody uses the data.
    :raises OSError: the processes can't be listed.
    """
    orphan = _recorded(launch, data_dir, processes)
    if orphan is None:
        orphan = _searched(launch, data_dir, processes)
    return processes.user_of_data_dir(data_dir) if orphan is None else orphan


def _recorded(
    launch: Launch | None, data_dir: str, processes: Processes
) -> Orphan | None:
    if launch is None or launch.pid is None or launch.start_time is None:
        return None
    if launch.boot_id != processes.boot_id():
        return None
    same = processes.start_time(launch.pid) == launch.start_time
    if not same or not processes.uses_data_dir(launch.pid, data_dir):
        return None
    return Orphan(
        pid=launch.pid,
        start_time=launch.start_time,
        launch_id=launch.launch_id,
        launch=launch,
    )


def _searched(
    launch: Launch | None, data_dir: str, processes: Processes
) -> Orphan | None:
    """See Note [Without a record]."""
    recorded = None if launch is None else launch.launch_id
    found = []
    for pid, launch_id in processes.launched_on(LAUNCH_VARIABLE, data_dir).items():
        start_time = processes.start_time(pid)
        if start_time is not None:
            # A wrapper is older than the etcd that it runs, and what we started.
            found.append((launch_id != recorded, start_time, pid, launch_id))
    if not found:
        return None
    _, start_time, pid, launch_id = min(found)
    if launch_id != recorded:
        command = processes.command_line(pid)
        launch = Launch.from_command(launch_id, processes.boot_id(), command)
    return Orphan(pid=pid, start_time=start_time, launch_id=launch_id, launch=launch)


def elsewhere(launch: Launch, settings: EtcdSettings) -> Elsewhere | None:
    """
    Where an etcd is that was started with other addresses.

    :return: None if it is where the settings have it, or if that can't be told.
    """
    runs, wanted = _flags_of(launch.command), address_flags(settings)
    moved = {flag for flag, urls in wanted.items() if runs.get(flag, urls) != urls}
    clients, peers = "listen-client-urls", "listen-peer-urls"
    advertised = "initial-advertise-peer-urls"
    if clients not in moved and not moved & {peers, advertised}:
        return None
    return Elsewhere(
        client_url=runs.get("advertise-client-urls") if clients in moved else None,
        peer_url=runs.get(advertised) if moved & {peers, advertised} else None,
    )


def outdated(
    launch: Launch, settings: EtcdSettings, binary: str, version: EtcdVersion
) -> str | None:
    """
    What an operator should know of an etcd that was started with other settings.

    :param binary: the binary as it would be started now.
    :return: one line, None if it would be started just the same.
    """
    if launch.version is not None and launch.version != str(version):
        return (
            f"etcd {launch.version} runs, started by an earlier e2d; {version} is "
            "installed: restart to apply (e2d restart)"
        )
    assert line_of(version) is not None, version
    wanted = (binary, *arguments(settings, launch.start, version))
    if launch.command == wanted:
        return None
    changed = sorted(set(launch.command) ^ set(wanted))
    flags = list(dict.fromkeys(each.partition("=")[0] for each in changed))
    return (
        f"etcd runs with other settings than configured now ({', '.join(flags[:5])}): "
        "restart to apply (e2d restart)"
    )
