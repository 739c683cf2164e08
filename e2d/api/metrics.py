"""
What Prometheus scrapes: the report of the last turn, read when it is asked for.

What is not known is absent from the answer, never 0: an alert on a revision must not
fire because etcd was slow to say it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from e2d.api.documents import pause_in_force
from e2d.api.ring_metrics import ring_metrics
from e2d.cluster.reasons import Code
from e2d.cluster.report import Report
from e2d.interfaces import IDaemonView
from e2d.model import EtcdMember, EtcdRole, EtcdStatus

__all__ = ["CHILD_STATES", "ReportCollector", "exposition", "make_registry"]

CHILD_STATES = (
    "absent",
    "starting",
    "serving",
    "not-answering",
    "stopping",
    "failed",
)
"""Every value of ``ChildReport.state``: each is a label, and one of them is 1."""


class ReportCollector(Collector):
    """The daemon's own metrics, all prefixed ``e2d_``."""

    def __init__(self, view: IDaemonView) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        """Every metric, from one report."""
        report = self._view.report()
        yield _build(report)
        yield from _loop(report)
        yield from _child(report)
        yield from _cluster(report)
        yield from _plan(report)
        if report.ring is not None:
            yield from ring_metrics(report.ring)


def make_registry(view: IDaemonView) -> CollectorRegistry:
    """A registry of its own, with the process's metrics; nothing global."""
    registry = CollectorRegistry()
    registry.register(ReportCollector(view))
    ProcessCollector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry, accept: str) -> tuple[str, bytes]:
    """
    The text that Prometheus reads.

    :param accept: the request's ``Accept``: OpenMetrics for those who ask for it.
    :return: the content type, and the text.
    """
    # Untyped: what these functions are called with has changed between releases.
    encode: Any
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _labelled(
    name: str, text: str, label: str, values: Sequence[tuple[str, float]]
) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values:
        family.add_metric([key], float(value))
    return family


def _build(report: Report) -> Metric:
    labels = {
        "version": report.node.e2d_version,
        "etcd_version": report.child.version or "",
    }
    return InfoMetricFamily("e2d_build", "What runs here.", value=labels)


def _loop(report: Report) -> Iterator[Metric]:
    loop = report.loop
    yield _gauge("e2d_alive", "Whether the loop turns well.", loop.problem is None)
    yield CounterMetricFamily(
        "e2d_loop_turns_total", "Turns of the loop that ended.", value=loop.turns
    )
    yield CounterMetricFamily(
        "e2d_loop_failures_total",
        "Turns of the loop that were abandoned.",
        value=loop.failures,
    )
    if loop.last_success_at is not None:
        yield _gauge(
            "e2d_loop_last_success_timestamp_seconds",
            "When a turn of the loop last ended well.",
            loop.last_success_at.timestamp(),
        )


def _child(report: Report) -> Iterator[Metric]:
    child = report.child
    yield _labelled(
        "e2d_etcd_child_state",
        "1 for the state that the etcd process is in.",
        "state",
        [(state, state == child.state) for state in CHILD_STATES],
    )
    yield CounterMetricFamily(
        "e2d_etcd_child_starts_total",
        "How often etcd was executed or adopted.",
        value=child.starts,
    )
    yield _gauge(
        "e2d_etcd_child_failures_in_a_row",
        "How often etcd failed since it last served for a while.",
        child.failures_in_a_row,
    )


def _cluster(report: Report) -> Iterator[Metric]:
    cluster = report.cluster
    yield _gauge(
        "e2d_etcd_ready", "Whether etcd serves here, with quorum.", report.ready
    )
    if cluster.quorum or cluster.denied is not None:
        yield _gauge(
            "e2d_etcd_denied",
            "Whether etcd refused e2d for want of rights.",
            cluster.denied is not None,
        )
    if cluster.members is not None:
        yield _members(cluster.members)
    if cluster.status is not None:
        yield from _status(cluster.status)
    if cluster.alarms is not None:
        yield _alarms(cluster.alarms)


def _members(members: Sequence[EtcdMember]) -> Metric:
    counts: list[tuple[str, float]] = [
        (role.value, sum(member.role is role for member in members))
        for role in EtcdRole
    ]
    return _labelled("e2d_etcd_members", "Members of the cluster.", "role", counts)


def _alarms(alarms: Sequence[tuple[str, str]]) -> Metric:
    family = GaugeMetricFamily(
        "e2d_etcd_alarm",
        "1 for each alarm that etcd raised.",
        labels=["member_id", "alarm"],
    )
    for member_id, alarm in alarms:
        family.add_metric([member_id, alarm], 1)
    return family


def _status(status: EtcdStatus) -> Iterator[Metric]:
    yield _gauge(
        "e2d_etcd_has_leader",
        "Whether this member knows a leader.",
        status.leader is not None,
    )
    yield _gauge(
        "e2d_etcd_revision", "The revision of this member's store.", status.revision
    )
    yield _gauge(
        "e2d_etcd_db_size_bytes", "Size of the database file.", status.db_size_bytes
    )
    if status.db_size_in_use_bytes is not None:
        yield _gauge(
            "e2d_etcd_db_size_in_use_bytes",
            "What of the database file is in use.",
            status.db_size_in_use_bytes,
        )


def _plan(report: Report) -> Iterator[Metric]:
    yield _labelled(
        "e2d_plan_code",
        "1 for the reason for which the loop waits or halts.",
        "code",
        [(code.value, code.value == report.plan.code) for code in Code],
    )
    pause = pause_in_force(report)
    yield _gauge("e2d_paused", "Whether a person asked for hands off.", bool(pause))
    if pause is not None:
        yield _gauge(
            "e2d_pause_end_timestamp_seconds",
            "When the pause ends.",
            pause.until_at.timestamp(),
        )
    yield _gauge(
        "e2d_safe_to_stop",
        "Whether stopping this node leaves a serving majority.",
        report.safe_to_stop,
    )
    yield _gauge(
        "e2d_warnings", "Warnings that the status shows.", len(report.warnings)
    )
