"""What the operator wants, as far as decisions depend on it."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Policy"]


@frozen(kw_only=True)
class Policy:
    """
    The settings that `e2d.cluster.planning.plan` reads.

    :param required_size: ``requiredClusterSize``: how many members are wanted.
    :param peer_url: where this node's peers would reach it.
    :param cluster: the mark of ``cluster.name``, by which the ring tells clusters
        apart; see `e2d.model.mark_cluster`.
    :param listens_for: the configuration keys that name others who may hold this
        cluster (seeds, discovery): a node that has them must hear them before it
        founds anything (A10).
    :param cannot_ask: such keys that this version cannot ask.
    :param compat: ``gossip.compat``: there may be originals in the ring (C5).
    :param listen_patience: for how many seconds a node listens before it founds: a
        first round of joins takes one or two, and lost ones are repeated after five.
    :param store: the snapshot store's configuration key and URL without credentials,
        None if there is none. What it holds decides whether a cluster may be new (A6).
    :param require_snapshot: ``recovery.requireSnapshot``: never found an empty cluster.
    :param observe: ``recovery.observe``: paused until a person resumes.
    :param missing_patience: seconds to wait for a disk that is not mounted before a
        person is called (A8: ten minutes).
    :param answer_patience: seconds that an etcd found running may take to answer: it
        may have been starting itself.
    :param turn_interval: seconds between turns while all is well.
    """

    required_size: int
    peer_url: str
    cluster: bytes = b""
    listens_for: tuple[str, ...] = ()
    cannot_ask: tuple[str, ...] = ()
    compat: bool = False
    listen_patience: float = 15.0
    store: str | None = None
    require_snapshot: bool = False
    observe: bool = False
    missing_patience: float = 600.0
    answer_patience: float = 30.0
    turn_interval: float = 5.0
