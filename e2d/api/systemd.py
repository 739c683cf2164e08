"""Tells systemd: ready, how it goes, and that the daemon is alive."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from e2d.cluster.report import Report
from e2d.interfaces import IDaemonView
from e2d.services import Repeater

__all__ = ["SystemdNotifier", "verdict"]

INTERVAL = 1.0
"""Seconds between two looks; a watchdog shorter than twice this is fed as often."""

LONGEST_STATUS = 500
"""Characters. systemd takes 4096 bytes at once, and drops what is longer as a whole."""


def verdict(report: Report) -> str:
    """How it goes, in the one line that ``systemctl status`` has room for."""
    if report.plan.kind == "content":
        return f"etcd {report.child.version} serves with quorum"
    code = f"{report.plan.code}: " if report.plan.code else ""
    line = " ".join(f"{code}{report.plan.reason}".split())
    return line if len(line) <= LONGEST_STATUS else line[:LONGEST_STATUS] + "…"


@define(eq=False, kw_only=True)
class SystemdNotifier(Service):
    """
    sd_notify(3), when systemd asks for it through ``NOTIFY_SOCKET``.

    READY is said once, when etcd first serves with quorum: a node that waits for
    something says so in STATUS and stays "activating" (the unit sets no limit).
    The watchdog is fed as long as the reactor turns and the loop's turns end or are
    within their own limits, so that nothing remote can starve it.

    :param notify: sends one datagram: ``sdnotify.SystemdNotifier().notify``.
    :param watchdog: ``WATCHDOG_USEC`` in seconds, None if no watchdog is set.
    """

    _clock: IReactorTime
    _view: IDaemonView
    _notify: Callable[[str], object]
    _watchdog: float | None
    _ready: bool = field(default=False, init=False)
    _said: str = field(default="", init=False)
    _looking: Repeater = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._looking = Repeater(clock=self._clock, turn=self._look)

    def startService(self) -> None:
        """Look every second, or as often as the watchdog needs."""
        super().startService()
        self._looking.start()

    def stopService(self) -> Deferred[None]:
        """Say that it ends on purpose."""
        super().stopService()
        self._notify("STOPPING=1")
        return self._looking.stop()

    async def _look(self) -> float:
        report = self._view.report()
        lines = []
        if report.ready and not self._ready:
            self._ready = True
            lines.append("READY=1")
        said = verdict(report)
        if said != self._said:
            self._said = said
            lines.append(f"STATUS={said}")
        if self._watchdog is not None and self._view.alive():
            lines.append("WATCHDOG=1")
        if lines:
            self._notify("\n".join(lines))
        return INTERVAL if self._watchdog is None else min(INTERVAL, self._watchdog / 2)
