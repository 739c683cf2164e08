"""What can be read of a running daemon: a path, and the answer to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from attrs import define, field

from e2d.api.answers import Answer, json_answer, text_answer
from e2d.api.documents import decisions_document, readiness_document, status_document
from e2d.interfaces import IDaemonView

__all__ = ["Read", "Reads"]

Read = Callable[[str], Answer]
"""Answers a GET; the argument is the request's ``Accept``."""

INDEX = """\
e2d keeps an etcd member alive here. To read:

/status     this node, its etcd, cluster and ring, what is wanted next and why (JSON)
/decisions  the last decisions and what they were made from (JSON)
/healthz    200 while the daemon's loop turns well, else 503
/readyz     200 while etcd serves here with quorum, else 503
/metrics    for Prometheus
"""


@define(eq=False)
class Reads:
    """
    The answers, made from the daemon's view at the moment they are asked for.

    :param view: never blocks and never fails.
    """

    _view: IDaemonView
    _metrics: Callable[[str], tuple[str, bytes]] | None = field(
        default=None, init=False
    )

    def by_path(self) -> Mapping[str, Read]:
        """Each by its path."""
        return {
            "/": self.index,
            "/status": self.status,
            "/decisions": self.decisions,
            "/healthz": self.healthz,
            "/readyz": self.readyz,
            "/metrics": self.metrics,
        }

    def index(self, _accept: str) -> Answer:
        """What there is to read, for people."""
        return text_answer(INDEX)

    def status(self, _accept: str) -> Answer:
        """Everything."""
        return json_answer(status_document(self._view.report()))

    def decisions(self, _accept: str) -> Answer:
        """The last decisions, oldest first."""
        return json_answer(decisions_document(self._view.decisions()))

    def healthz(self, _accept: str) -> Answer:
        """Whether the daemon itself is well, whatever etcd does."""
        problem = self._view.report().loop.problem
        document = {"alive": problem is None, "reason": problem}
        return json_answer(document, _ok_if(problem is None))

    def readyz(self, _accept: str) -> Answer:
        """Whether clients are served here."""
        report = self._view.report()
        return json_answer(readiness_document(report), _ok_if(report.ready))

    def metrics(self, accept: str) -> Answer:
        """For Prometheus, in the form that ``accept`` asks for."""
        if self._metrics is None:
            self._metrics = self._load_metrics()
        content_type, body = self._metrics(accept)
        return Answer(HTTPStatus.OK, content_type, body)

    def _load_metrics(self) -> Callable[[str], tuple[str, bytes]]:
        # Prometheus' library takes 50 ms to load: not before etcd was started.
        from e2d.api.metrics import exposition, make_registry  # noqa: PLC0415

        registry = make_registry(self._view)
        return lambda accept: exposition(registry, accept)


def _ok_if(well: bool) -> int:
    return HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
