"""What Prometheus scrapes of the gossip ring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from e2d.cluster.ring_report import RingReport
from e2d.model import Rank, RingTraffic

__all__ = ["ring_metrics"]


def ring_metrics(ring: RingReport) -> Iterator[Metric]:
    """Every metric of the ring; those of who is in it only while that is known."""
    yield GaugeMetricFamily(
        "e2d_gossip_listening",
        "Whether this node listens for gossip.",
        value=float(ring.for_seconds is not None),
    )
    yield from _traffic(ring.traffic)
    if ring.ranks is None:
        return
    yield _members(ring.ranks)
    yield GaugeMetricFamily(
        "e2d_gossip_health_score",
        "0 for well; more: this node is slow, or its network.",
        value=ring.health_score,
    )
    yield GaugeMetricFamily(
        "e2d_gossip_queue_length",
        "News that waits to be passed on.",
        value=ring.queue_length,
    )
    yield GaugeMetricFamily(
        "e2d_gossip_unmet_seeds",
        "Addresses of nodes to join that did not answer when last asked.",
        value=len(ring.unmet),
    )
    yield GaugeMetricFamily(
        "e2d_gossip_name_clashes",
        "Names that two nodes claimed lately.",
        value=len(ring.clashes),
    )


def _members(ranks: Mapping[Rank, int]) -> Metric:
    family = GaugeMetricFamily(
        "e2d_gossip_members",
        "Nodes of the ring, this one included, by what it holds them to be.",
        labels=["rank"],
    )
    for rank, number in ranks.items():
        family.add_metric([rank.value], number)
    return family


def _traffic(traffic: RingTraffic) -> Iterator[Metric]:
    counters = (
        ("packets_in", "Packets received.", traffic.packets_in),
        ("packets_out", "Packets sent.", traffic.packets_out),
        ("bytes_in", "Bytes of packets received.", traffic.bytes_in),
        ("bytes_out", "Bytes of packets sent.", traffic.bytes_out),
        ("streams_in", "Connections that others opened.", traffic.streams_in),
        ("streams_out", "Connections that this node opened.", traffic.streams_out),
        ("suspicions", "How often a node came to be suspected.", traffic.suspicions),
        (
            "refutations",
            "How often others were told that this node lives.",
            traffic.refutations,
        ),
    )
    for name, text, value in counters:
        yield CounterMetricFamily(f"e2d_gossip_{name}_total", text, value=value)
    yield _by_reason(
        "packets_dropped",
        "Packets received and ignored, or not sent.",
        traffic.packets_dropped,
    )
    yield _by_reason(
        "streams_failed", "Connections that came to nothing.", traffic.streams_failed
    )


def _by_reason(name: str, text: str, counts: Mapping[str, int]) -> Metric:
    """The reasons are words of ours, never the network's: so there are few."""
    family = CounterMetricFamily(f"e2d_gossip_{name}_total", text, labels=["reason"])
    for reason in sorted(counts):
        family.add_metric([reason], counts[reason])
    return family
