"""Settings and values that the tests of etcd's process share."""

from __future__ import annotations

from attrs import evolve

from e2d.config.values import Endpoint, EtcdOptions, MetricsDetail
from e2d.etcd.command import EtcdSettings
from e2d.model import (
    Address,
    ClusterID,
    EtcdRole,
    EtcdStart,
    EtcdStatus,
    InitialState,
    MemberID,
    NodeName,
    Revision,
)

OPTIONS = EtcdOptions(
    binary=None,
    extra_args=(),
    env=(),
    auth=None,
    quota_backend_bytes=None,
    compaction_interval=300.0,
    log_level="error",
    allow_version=(),
    unsafe_no_fsync=False,
    pre_vote=True,
    metrics_detail=MetricsDetail.BASIC,
)


def endpoint(host: str, port: int) -> Endpoint:
    """An endpoint that is advertised as it listens."""
    return Endpoint(listen=Address(host, port), advertise=Address(host, port))


def settings(**changes: object) -> EtcdSettings:
    """The settings of a single node on loopback."""
    plain = EtcdSettings(
        binary="etcd",
        data_dir="/var/lib/e2d",
        client=endpoint("127.0.0.1", 2379),
        peer=endpoint("127.0.0.1", 2380),
        client_tls=None,
        peer_tls=None,
        metrics=None,
        options=OPTIONS,
        cluster_size=1,
    )
    return evolve(plain, **changes)


def options(**changes: object) -> EtcdOptions:
    """Options as the defaults have them."""
    return evolve(OPTIONS, **changes)


START = EtcdStart(
    name=NodeName("n1"),
    peers=((NodeName("n1"), "http://127.0.0.1:2380"),),
    token="f00d",
    state=InitialState.NEW,
)


def status(leader: int | None = 1, member_id: int = 1) -> EtcdStatus:
    """What a member says of itself that knows, or does not know, a leader."""
    return EtcdStatus(
        cluster_id=ClusterID(9),
        member_id=MemberID(member_id),
        leader=None if leader is None else MemberID(leader),
        role=EtcdRole.VOTER,
        revision=Revision(1),
        raft_term=2,
        raft_index=4,
        raft_applied_index=4,
        version="3.5.16",
        db_size_bytes=20480,
        db_size_in_use_bytes=16384,
    )
