"""The keys about the node, its certificates, and how nodes find each other."""

from __future__ import annotations

from e2d.config.choices import GossipCompatibility, GossipProfile
from e2d.config.composites import ListOf, StringMap
from e2d.config.endpoints import EndpointKind, PeerAddress, WrittenEndpoint
from e2d.config.keys import ALPHA, Key, Section
from e2d.config.measures import Duration
from e2d.config.ring_keys import parse_ring_key
from e2d.config.scalars import Boolean, Choice, Integer, Level, SecretText, Text
from e2d.config.secret import Secret
from e2d.model import Address

__all__ = [
    "DISCOVERY_TYPES",
    "KEYS",
    "SECTIONS",
]

_ANY_HOST = "0.0.0.0"  # noqa: S104 - replaced by the host's address
_DAY = 86400.0

DISCOVERY_TYPES = (
    "aws/autoscaling-group",
    "aws/tags",
    "digitalocean/tags",
    "dns",
    "exec",
    "file",
)
"""The providers that e2d brings; plugins add more."""


def _ring_key_problem(text: str) -> str:
    try:
        parse_ring_key(text)
    except ValueError as error:
        return str(error)
    return ""


_PATH = Text(what="a path")
_NAME = Text(
    what="1 to 128 characters without spaces, `,` and `=`", pattern=r"[^\s,=]{1,128}"
)


def _endpoint(port: int, *, names: bool = True) -> EndpointKind:
    return EndpointKind(host=_ANY_HOST, port=port, names=names)


DATA_DIR = Key(
    path="dataDir",
    kind=_PATH,
    default="data",
    zero_is_default=True,
    since=ALPHA,
    about="etcd's directory, relative to the working directory. e2d's own records are "
    "in `e2d/` below it.",
)
CLUSTER_NAME = Key[str | None](
    path="cluster.name",
    kind=Text(
        what="1 to 128 letters, digits, `.`, `_` and `-`",
        pattern=r"[A-Za-z0-9._-]{1,128}",
    ),
    default=None,
    default_words="`discovery.matches.name` of an autoscaling group, else `e2d`",
    about="Nodes and snapshots of another name are never joined, counted or restored.",
)
REQUIRED_CLUSTER_SIZE = Key(
    path="requiredClusterSize",
    kind=Integer(minimum=1, maximum=9, counted="members", odd=True),
    default=1,
    zero_is_default=True,
    since=ALPHA,
    about="How many voting members a new cluster starts with. Once it runs, this only "
    "proposes: the size in force is kept in etcd.",
)
CLIENT_ADDR = Key(
    path="clientAddr",
    kind=_endpoint(2379),
    default=WrittenEndpoint(host=_ANY_HOST, port=2379),
    zero_is_default=True,
    since=ALPHA,
    about="Where etcd serves clients. An unspecified host is replaced by this host's "
    "address, unless another one is advertised.",
)
PEER_ADDR = Key(
    path="peerAddr",
    kind=_endpoint(2380),
    default=WrittenEndpoint(host=_ANY_HOST, port=2380),
    zero_is_default=True,
    since=ALPHA,
    about="Where etcd serves other members.",
)
GOSSIP_ADDR = Key(
    path="gossipAddr",
    kind=_endpoint(7980, names=False),
    default=WrittenEndpoint(host=_ANY_HOST, port=7980),
    zero_is_default=True,
    since=ALPHA,
    about="Where e2d gossips, UDP and TCP. Given, it makes a single node gossip too.",
)
CA_CERT = Key[str | None](
    path="caCert",
    kind=_PATH,
    default=None,
    zero_is_default=True,
    since=ALPHA,
    about="The certificate of the CA, PEM. It switches TLS on, with client "
    "certificates required.",
)
CA_KEY = Key[str | None](
    path="caKey",
    kind=_PATH,
    default=None,
    zero_is_default=True,
    since=ALPHA,
    about="The CA's private key: leaf certificates are then issued here, and the keys "
    "of gossip and snapshots are derived from it.",
)


def _leaf(kind: str, part: str, words: str) -> Key[str | None]:
    suffix = {"cert": "crt", "key": "key"}[part]
    return Key[str | None](
        path=f"certs.{kind}.{part}",
        kind=_PATH,
        default=None,
        default_words=f"`{kind}.{suffix}` next to `caCert`",
        about=f"The {words} {kind} certificate.",
    )


SERVER_CERT = _leaf("server", "cert", "file of the")
SERVER_KEY = _leaf("server", "key", "private key of the")
PEER_CERT = _leaf("peer", "cert", "file of the")
PEER_KEY = _leaf("peer", "key", "private key of the")
CLIENT_CERT = _leaf("client", "cert", "file of the")
CLIENT_KEY = _leaf("client", "key", "private key of the")
CERTS_LIFETIME = Key(
    path="certs.lifetime",
    kind=Duration(minimum=3600.0),
    default=365 * _DAY,
    about="How long a leaf certificate that e2d issues is valid.",
)
CERTS_RENEW_BEFORE = Key(
    path="certs.renewBefore",
    kind=Duration(minimum=60.0),
    default=30 * _DAY,
    about="How long before its end a leaf certificate is issued anew.",
)
CERTS_ALT_NAMES = Key[tuple[str, ...]](
    path="certs.altNames",
    kind=ListOf(
        item=Text(what="a DNS name or an address", pattern=r"[A-Za-z0-9:*._-]{1,253}"),
        what="DNS names and addresses",
    ),
    default=(),
    about="Names and addresses in leaf certificates besides the node's own.",
)
EVICT_AFTER = Key(
    path="evictAfter",
    kind=Duration(),
    default=300.0,
    zero_is_default=True,
    since=ALPHA,
    alias="healthCheckTimeout",
    about="From the loss of a member to its removal from etcd.",
)
HEALTH_CHECK_INTERVAL = Key(
    path="healthCheckInterval",
    kind=Duration(minimum=0.1, zero=True),
    default=60.0,
    zero_is_default=True,
    since=ALPHA,
    about="How often this node's own etcd is asked whether it is healthy. The original "
    "accepted it without a meaning.",
)
OVERRIDE_NAME = Key[str | None](
    path="overrideName",
    kind=_NAME,
    default=None,
    default_words="the name found in the data directory, else a random one",
    zero_is_default=True,
    since=ALPHA,
    about="The member's name.",
)
MEMBERLIST_LOG_LEVEL = Key(
    path="MemberlistLogLevel",
    kind=Level(),
    # The original's is "error", and hid who came and went, and why (W-36).
    default="info",
    zero_is_default=True,
    since=ALPHA,
    about="Which of gossip's log events are kept.",
)

INITIAL_PEERS = Key[tuple[Address, ...]](
    path="discovery.initialPeers",
    kind=ListOf(item=PeerAddress(port=7980), what="addresses"),
    default=(),
    since=ALPHA,
    about="Gossip addresses of other nodes; a leading `http://` or `https://` is "
    "ignored.",
)
BOOTSTRAP_TIMEOUT = Key(
    path="discovery.bootstrapTimeout",
    kind=Duration(),
    default=1800.0,
    zero_is_default=True,
    since=ALPHA,
    about="A new cluster is founded without a peer that nobody reached for so long.",
)
DISCOVERY_TYPE = Key[str | None](
    path="discovery.type",
    kind=Text(what="the name of a provider"),
    default=None,
    zero_is_default=True,
    since=ALPHA,
    about="Who knows the other nodes: "
    + ", ".join(f"`{name}`" for name in DISCOVERY_TYPES)
    + ", or what a plugin adds.",
)
DISCOVERY_INTERVAL = Key(
    path="discovery.interval",
    kind=Duration(minimum=1.0),
    default=30.0,
    about="How often other nodes are looked up. The original did it once.",
)
DISCOVERY_MATCHES = Key[tuple[tuple[str, str], ...]](
    path="discovery.matches",
    kind=StringMap(what="tags to values"),
    default=(),
    since=ALPHA,
    alias="extraArgs",
    about="What the provider looks for: `name` of an autoscaling group (default: this "
    "host's own), tags and values on AWS, one tag on DigitalOcean (value empty).",
)
DISCOVERY_NAME = Key[str | None](
    path="discovery.name",
    kind=Text(what="a DNS name", pattern=r"[A-Za-z0-9_.-]{1,253}"),
    default=None,
    about="The name that `dns` looks up.",
)
DISCOVERY_FILE = Key[str | None](
    path="discovery.file",
    kind=_PATH,
    default=None,
    about="The file that `file` reads: an address in each line.",
)
DISCOVERY_COMMAND = Key[tuple[str, ...]](
    path="discovery.command",
    kind=ListOf(item=Text(what="a word"), what="words", single=True),
    default=(),
    about="The program that `exec` runs, and its arguments.",
)

GOSSIP_PROFILE = Key(
    path="gossip.profile",
    kind=Choice(choices=GossipProfile),
    default=GossipProfile.LAN,
    about="Which of memberlist's sets of timings is used.",
)
GOSSIP_KEYS = Key[tuple[Secret, ...]](
    path="gossip.keys",
    kind=ListOf(
        item=SecretText(what="a base64 or hexadecimal key", check=_ring_key_problem),
        what="base64 or hexadecimal keys",
        single=True,
    ),
    default=(),
    default_words="derived from the CA's key; with `gossip.compat` the original's key",
    about="Keys of 16, 24 or 32 bytes in base64 or hexadecimal; the first seals, all "
    "open. At most 16.",
)
GOSSIP_KEYS_FILE = Key[str | None](
    path="gossip.keysFile",
    kind=_PATH,
    default=None,
    about="A file of such keys, one in each line, instead of `gossip.keys`. Empty "
    "lines, and lines that begin with `#`, are passed over.",
)
GOSSIP_LABEL = Key[str | None](
    path="gossip.label",
    kind=Text(what="1 to 255 bytes of text", pattern=r"[!-~]{1,255}"),
    default=None,
    default_words="`cluster.name`; none with `gossip.compat`",
    about="Rings of different labels never merge.",
)
GOSSIP_KEY_GRACE = Key(
    path="gossip.keyGrace",
    kind=Duration(),
    default=7 * _DAY,
    about="How long a replaced key is still accepted; 0 after a compromise.",
)
GOSSIP_INSECURE = Key(
    path="gossip.insecure",
    kind=Boolean(),
    default=False,
    about="With TLS but without any key, gossip in the clear.",
)
GOSSIP_COMPAT = Key[GossipCompatibility | None](
    path="gossip.compat",
    kind=Choice(choices=GossipCompatibility),
    default=None,
    about="Share the ring with the original while it is replaced: `original` for its "
    "1.0 line, `original-0.4`. Without `gossip.keys` the key is what the original "
    "derives from the CA's; without a CA's key, 1.0 has a key of zeros, which is no "
    "secret, and 0.4 has none.",
)

SECTIONS = (
    Section(path="cluster", about="The cluster this node belongs to."),
    Section(path="certs", about="Leaf certificates. Needs `caCert`."),
    Section(path="certs.server", about="Shown to clients of etcd."),
    Section(path="certs.peer", about="Shown to other members."),
    Section(path="certs.client", about="Used by e2d itself against etcd."),
    Section(path="discovery", about="How other nodes are found."),
    Section(path="gossip", about="The gossip ring."),
)

KEYS: tuple[Key[object], ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Key)
)
