"""The keys about etcd, its members, their backups and e2d's own interfaces."""

from __future__ import annotations

from e2d.config.choices import (
    Compression,
    Eviction,
    MetricsDetail,
    RecoveryMode,
    ServeWhen,
)
from e2d.config.composites import ListOf, StringMap
from e2d.config.endpoints import EndpointKind, WrittenEndpoint
from e2d.config.flags import FlagArguments, environment_refusal
from e2d.config.keys import ALPHA, Key, Section
from e2d.config.measures import Duration, Size
from e2d.config.scalars import Boolean, Choice, Integer, Level, SecretText, Text
from e2d.config.secret import Secret
from e2d.config.store_url import StoreUrl

__all__ = ["KEYS", "SECTIONS"]

_PATH = Text(what="a path")


def _count(counted: str) -> Integer:
    return Integer(minimum=0, maximum=10_000, counted=counted)


ETCD_BINARY = Key[str | None](
    path="etcd.binary",
    kind=_PATH,
    default=None,
    default_words="`etcd` on PATH",
    about="The etcd program, a path or a name on PATH.",
)
ETCD_EXTRA_ARGS = Key[tuple[tuple[str, str | None], ...]](
    path="etcd.extraArgs",
    kind=FlagArguments(),
    default=(),
    about="Further flags of etcd. Those that e2d owns are refused.",
)
ETCD_ENV = Key[tuple[tuple[str, str], ...]](
    path="etcd.env",
    kind=StringMap(what="variables to values", check=environment_refusal),
    default=(),
    about="Variables in etcd's environment. `ETCD_...` is refused: such a variable "
    "would set a flag.",
)
AUTH_USER = Key[str | None](
    path="etcd.auth.user",
    kind=Text(what="a user's name"),
    default=None,
    about="The user, with role root, as whom e2d logs in where etcd's auth is on. A "
    "client certificate with such a name does as well.",
)
AUTH_PASSWORD = Key[Secret | None](
    path="etcd.auth.password",
    kind=SecretText(what="a password"),
    default=None,
    about="Its password.",
)
AUTH_PASSWORD_FILE = Key[str | None](
    path="etcd.auth.passwordFile",
    kind=_PATH,
    default=None,
    about="A file whose first line is the password, instead of `etcd.auth.password`.",
)
QUOTA_BACKEND_BYTES = Key[int | None](
    path="etcd.quotaBackendBytes",
    kind=Size(),
    default=None,
    default_words="etcd's own, 2 GiB",
    about="How large the database may grow before writes stop.",
)
ALLOW_VERSION = Key[tuple[str, ...]](
    path="etcd.allowVersion",
    kind=ListOf(
        item=Text(what="a version such as `3.5.4`", pattern=r"\d+\.\d+\.\d+"),
        what="versions such as `3.5.4`",
        single=True,
    ),
    default=(),
    about="Versions of etcd that are known to be bad and run all the same.",
)
ETCD_LOG_LEVEL = Key(
    path="EtcdLogLevel",
    kind=Level(),
    default="error",
    zero_is_default=True,
    since=ALPHA,
    about="etcd's log level.",
)
COMPACTION_INTERVAL = Key(
    path="compactionInterval",
    kind=Duration(),
    default=300.0,
    old=0.0,
    old_words="off",
    since=ALPHA,
    about="How much history etcd keeps; 0 for all of it.",
)
UNSAFE_NO_FSYNC = Key(
    path="unsafeNoFsync",
    kind=Boolean(),
    default=False,
    since=ALPHA,
    about="etcd does not wait for the disk. Loses data; for tests.",
)
DISABLE_PRE_VOTE = Key(
    path="DisablePreVote",
    kind=Boolean(),
    default=False,
    since=ALPHA,
    about="A member that returns may disturb the leader.",
)

METRICS_ADDR = Key[WrittenEndpoint | None](
    path="metrics.addr",
    kind=EndpointKind(
        host="0.0.0.0",  # noqa: S104 - replaced by the host's address
        port=4001,
        advertises=False,
    ),
    default=None,
    default_words="no listener",
    zero_is_default=True,
    since=ALPHA,
    about="Where etcd serves its own metrics.",
)
METRICS_TYPE = Key(
    path="metrics.type",
    kind=Choice(choices=MetricsDetail),
    default=MetricsDetail.BASIC,
    zero_is_default=True,
    since=ALPHA,
    about="How much etcd's metrics tell. The original accepted it without a meaning.",
)
METRICS_DISABLE_AUTH = Key(
    path="metrics.disableAuth",
    kind=Boolean(),
    default=False,
    since=ALPHA,
    about="Plain HTTP for `metrics.addr` even with TLS.",
)

KEEP_SEAT = Key[float | None](
    path="membership.keepSeat",
    kind=Duration(),
    default=1800.0,
    old=None,
    old_words="as `evictAfter`",
    about="Instead of `evictAfter` for a member that was stopped cleanly.",
)
ON_EVICTION = Key(
    path="membership.onEviction",
    kind=Choice(choices=Eviction),
    default=Eviction.REJOIN,
    about="What a node does that was removed from etcd: join anew, or exit.",
)
LEARNERS = Key(
    path="membership.learners",
    kind=Boolean(),
    default=True,
    old=False,
    about="Nodes join as learners and are promoted when they have caught up.",
)
SPARES = Key(
    path="membership.spares",
    kind=Integer(minimum=0, maximum=8, counted="learners"),
    default=0,
    about="Learners that are kept warm. More than one needs etcd 3.6 or newer.",
)

SNAPSHOT_FILE = Key[str | None](
    path="snapshot.file",
    kind=StoreUrl(),
    default=None,
    default_words="no snapshots",
    zero_is_default=True,
    since=ALPHA,
    about="Where snapshots are kept: `file://<path>`, `s3://<bucket>[/path]` or "
    "`https://<region>.digitaloceanspaces.com/<bucket>[/path]`.",
)
SNAPSHOT_INTERVAL = Key(
    path="snapshot.interval",
    kind=Duration(minimum=1.0, zero=True),
    default=60.0,
    zero_is_default=True,
    since=ALPHA,
    about="How often a snapshot is taken if anything changed.",
)
SNAPSHOT_COMPRESSION = Key(
    path="snapshot.compression",
    kind=Choice(
        choices=Compression,
        booleans={False: Compression.NONE, True: Compression.ZSTD},
    ),
    old_kind=Choice(
        choices=Compression,
        booleans={False: Compression.NONE, True: Compression.GZIP},
    ),
    default=Compression.ZSTD,
    old=Compression.NONE,
    since=ALPHA,
    about="How snapshots are compressed. `true` is `zstd`, and `gzip` in v1alpha1.",
)
SNAPSHOT_ENCRYPTION = Key(
    path="snapshot.encryption",
    kind=Boolean(),
    default=False,
    since=ALPHA,
    about="Snapshots are sealed with a key derived from the CA's: needs `caKey`.",
)
RETENTION_LAST = Key(
    path="snapshot.retention.last",
    kind=_count("snapshots"),
    default=10,
    old=1,
    about="The newest so many are kept.",
)
RETENTION_HOURLY = Key(
    path="snapshot.retention.hourly",
    kind=_count("hours"),
    default=24,
    old=0,
    about="The newest of each of so many hours is kept.",
)
RETENTION_DAILY = Key(
    path="snapshot.retention.daily",
    kind=_count("days"),
    default=7,
    old=0,
    about="The newest of each of so many days is kept.",
)
LIMIT_RATE = Key[int | None](
    path="snapshot.limitRate",
    kind=Size(minimum=1024, per=" per second"),
    default=None,
    none_word="none",
    about="How fast snapshots are uploaded at most.",
)
SNAPSHOT_EXTRA_ARGS = Key[tuple[tuple[str, str], ...]](
    path="snapshot.extraArgs",
    kind=StringMap(
        what="names to values",
        check=lambda name: "" if name == "RoleSessionName" else "means nothing",
    ),
    default=(),
    since=ALPHA,
    about="`RoleSessionName`: the name of the STS session under which S3 is reached.",
)
SIGNING_KEY = Key[Secret | None](
    path="snapshot.signingKey",
    kind=SecretText(what="a secret"),
    default=None,
    default_words="derived from the CA's key",
    about="Proves that manifests of snapshots were not edited.",
)
SIGNING_KEY_FILE = Key[str | None](
    path="snapshot.signingKeyFile",
    kind=_PATH,
    default=None,
    about="A file whose first line is that key, instead of `snapshot.signingKey`.",
)

RECOVERY_MODE = Key(
    path="recovery.mode",
    kind=Choice(choices=RecoveryMode),
    default=RecoveryMode.SNAPSHOT,
    about="`manual` never restores by itself; `snapshot` does when every node is "
    "empty, a snapshot exists and the old cluster can't come back; `survivor` also "
    "starts again from the newest surviving data.",
)
RECOVERY_AFTER = Key[float | None](
    path="recovery.after",
    kind=Duration(),
    default=None,
    none_word="never",
    about="Silence of the old cluster for so long counts as its end.",
)
REQUIRE_SNAPSHOT = Key(
    path="recovery.requireSnapshot",
    kind=Boolean(),
    default=False,
    about="Never found an empty cluster. Advised after the first day.",
)
MAX_AGE = Key[float | None](
    path="recovery.maxAge",
    kind=Duration(minimum=1.0),
    default=None,
    none_word="none",
    about="Nothing older is restored without a person.",
)
SERVE = Key(
    path="recovery.serve",
    kind=Choice(choices=ServeWhen),
    default=ServeWhen.REDUNDANT,
    about="When a restored cluster lets clients in: once two members hold the data, or "
    "at once.",
)
OBSERVE = Key(
    path="recovery.observe",
    kind=Boolean(),
    default=False,
    about="Start paused: plan and tell, but do nothing.",
)

API_ADDR = Key(
    path="api.addr",
    kind=EndpointKind(host="127.0.0.1", port=7981, advertises=False),
    default=WrittenEndpoint(host="127.0.0.1", port=7981),
    zero_is_default=True,
    about="Where e2d serves its status over HTTP, read only.",
)
API_SOCKET = Key[str | None](
    path="api.socket",
    kind=_PATH,
    default=None,
    default_words="`e2d.sock` in `$RUNTIME_DIRECTORY`, else in `<dataDir>/e2d/`",
    about="The control socket.",
)

SECTIONS = (
    Section(path="etcd", about="The etcd process."),
    Section(path="etcd.auth", about="For clusters with etcd's own auth on."),
    Section(path="metrics", about="etcd's own metrics."),
    Section(path="membership", about="How members come and go."),
    Section(path="snapshot", about="Backups."),
    Section(path="snapshot.retention", about="Which snapshots are kept."),
    Section(path="recovery", about="What happens when the cluster is lost."),
    Section(path="api", about="Where e2d itself answers."),
)

KEYS: tuple[Key[object], ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Key)
)
