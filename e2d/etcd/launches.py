"""
What is written down about a start of etcd, so that a later e2d can find it again.

It is written twice: before the start, with an id that etcd carries in its environment,
and after it, with the pid. An e2d that is killed in between leaves enough to search by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from e2d.etcd.command import LAUNCH_VARIABLE, EtcdSettings, arguments
from e2d.etcd.processes import Processes, RunningProcess
from e2d.etcd.versions import line_of
from e2d.model import EtcdStart, EtcdVersion, InitialState, NodeName

__all__ = ["Launch", "Orphan", "find_orphan", "outdated"]


@frozen(kw_only=True)
class Launch:
    """
    One start of etcd.

    :param launch_id: random; in etcd's environment.
    :param boot_id: the boot of the machine in which it was started.
    :param version: of the binary, as text.
    :param command: the program and its arguments.
    :param pid: None while it is not known.
    :param start_time: of the process, in clock ticks since the boot.
    """

    launch_id: str
    boot_id: str
    version: str
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
    """

    pid: int
    start_time: int


def find_orphan(
    launch: Launch | None, data_dir: str, processes: Processes
) -> Orphan | RunningProcess | None:
    """
    The etcd that a launch led to, or whoever else uses the data. Blocks.

    :param launch: what is on record.
    :return: a `RunningProcess` is not ours; None: nobody uses the data.
    """
    if launch is not None and launch.boot_id == processes.boot_id():
        for pid in (launch.pid, _searched(launch, processes)):
            if pid is None:
                continue
            start_time = processes.start_time(pid)
            known = pid != launch.pid or start_time == launch.start_time
            if start_time and known and processes.uses_data_dir(pid, data_dir):
                return Orphan(pid=pid, start_time=start_time)
    return processes.user_of_data_dir(data_dir)


def _searched(launch: Launch, processes: Processes) -> int | None:
    return processes.find_launch(LAUNCH_VARIABLE, launch.launch_id)


def outdated(
    launch: Launch, settings: EtcdSettings, binary: str, version: EtcdVersion
) -> str | None:
    """
    What an operator should know of an etcd that was started with other settings.

    :param binary: the binary as it would be started now.
    :return: one line, None if it would be started just the same.
    """
    if launch.version != str(version):
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
