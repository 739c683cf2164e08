"""What a bare peer of ours is made of, by options that are called as memberlist's."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from attrs import evolve

from e2d.gossip.places import peer_address
from e2d.swim.identity import DEFAULT_VERSIONS, Identity, Vetoes
from e2d.swim.messages import Alive
from e2d.swim.packets import Framing
from e2d.swim.sealing import Keyring
from e2d.swim.settings import LAN, LOCAL, WAN, Settings

__all__ = ["Options", "framing", "identity", "octets", "timings", "vetoes"]

Options = Mapping[str, Any]
"""Fields of ``OurSettings``, without those that are None; bytes are hexadecimal."""

_PROFILES = {"lan": LAN, "wan": WAN, "local": LOCAL}
_TIMINGS = {
    "probe_interval": "probe_interval",
    "probe_timeout": "probe_timeout",
    "gossip_interval": "gossip_interval",
    "gossip_nodes": "gossip_peers",
    "gossip_to_the_dead_time": "gossip_to_the_dead",
    "push_pull_interval": "exchange_interval",
    "dead_node_reclaim_time": "dead_reclaim",
    "indirect_checks": "indirect_checks",
    "retransmit_mult": "retransmit_mult",
    "suspicion_mult": "suspicion_mult",
    "suspicion_max_timeout_mult": "suspicion_most_mult",
    "awareness_max_multiplier": "awareness_most",
    "tcp_timeout": "stream_timeout",
    "udp_buffer_size": "packet_bytes",
    "late_after": "late_after",
    "settle_after_pause": "settle_after_pause",
}
"""What memberlist calls it, and what we do."""


def timings(options: Options) -> Settings:
    """How fast and how much."""
    given = {ours: options[name] for name, ours in _TIMINGS.items() if name in options}
    if "disable_tcp_pings" in options:
        given["stream_pings"] = not options["disable_tcp_pings"]
    return evolve(_PROFILES[options["profile"]], **given)


def octets(options: Options, name: str) -> bytes:
    """An option that is hexadecimal digits; empty where it is not given."""
    return bytes.fromhex(options.get(name, ""))


def _keyring(options: Options) -> Keyring | None:
    keys = tuple(map(bytes.fromhex, options["keys"]))
    return Keyring(keys) if keys else None


def framing(options: Options) -> Framing:
    """How messages travel."""
    return Framing(
        label=options.get("label", "").encode(),
        keyring=_keyring(options),
        verify_incoming=options.get("verify_incoming", True),
        verify_outgoing=options.get("verify_outgoing", True),
        compression=options.get("compression", True),
        protocol=options.get("protocol", DEFAULT_VERSIONS.protocol),
    )


def identity(options: Options) -> Identity:
    """Who the peer is."""
    least, most, current = options.get("delegate_versions", (0, 0, 0))
    return Identity(
        name=options["name"].encode(),
        address=peer_address(
            options.get("advertise", options["bind"]),
            options.get("advertise_port", options["port"]),
        ),
        meta=octets(options, "meta"),
        versions=evolve(
            DEFAULT_VERSIONS,
            protocol=options.get("protocol", DEFAULT_VERSIONS.protocol),
            delegate_min=least,
            delegate_max=most,
            delegate=current,
        ),
    )


def vetoes(options: Options) -> Vetoes:
    """What it refuses."""
    networks = [ip_network(each) for each in options.get("cidrs", ())]

    def elsewhere(claim: Alive) -> str | None:
        address = ip_address(claim.address.host)
        if any(address in network for network in networks):
            return None
        return f"{address} is in none of the networks"

    return Vetoes(alive=elsewhere if networks else None)
