"""URLs of places where snapshots are kept, as the original understands them."""

from __future__ import annotations

import re

from attrs import frozen

from e2d.config.document import Node, Scalar
from e2d.config.kinds import Kind, Written
from e2d.config.problems import Findings, quoted

__all__ = ["StoreUrl", "url_problem"]

_MAXIMUM_URL = 2048
_SCHEMES = ("file://", "s3://", "http://", "https://")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", re.ASCII)


def url_problem(url: str) -> tuple[str, str]:
    """
    Check a URL by the original's table.

    :return: what is wrong and what to write instead; twice "" for a URL that does.
    """
    scheme, separator, rest = url.partition("://")
    if f"{scheme}{separator}" not in _SCHEMES:
        return "has no scheme that e2d knows", (
            "write `file:///path`, `s3://bucket/path` or "
            "`https://<region>.digitaloceanspaces.com/<bucket>/path`"
        )
    if len(url) > _MAXIMUM_URL or not url.isprintable() or " " in url:
        return "is not a URL", ""
    if scheme == "file":
        missing = ("names no file", "write `file:///path/to/snapshots/`")
        return ("", "") if rest else missing
    return _remote_problem(scheme, rest)


def _remote_problem(scheme: str, rest: str) -> tuple[str, str]:
    host, _, path = rest.partition("/")
    if "@" in host:
        return "holds credentials", "leave them to the environment or the host's role"
    if "?" in rest or "#" in rest:
        return "has a query or a fragment", "end it with the path"
    if scheme == "s3":
        return _bucket_problem(host)
    if "digitaloceanspaces" not in host:
        return "is not a DigitalOcean Space", "use `s3://bucket/path` for S3"
    return _bucket_problem(path.partition("/")[0])


def _bucket_problem(bucket: str) -> tuple[str, str]:
    if not bucket:
        return "names no bucket", ""
    if _BUCKET.fullmatch(bucket) is None:
        return f"names a bucket {quoted(bucket)}, which can't exist", ""
    return "", ""


@frozen
class StoreUrl(Kind[str]):
    """A URL of a store."""

    def read(self, node: Node, key: str, findings: Findings) -> str | None:
        """Credentials in it are refused, and not repeated in the message."""
        text = node.value if isinstance(node, Scalar) else None
        if not isinstance(text, str):
            self.refuse(node, key, findings)
            return None
        problem, hint = url_problem(text)
        if not problem:
            return text
        shown = quoted(re.sub("//[^/]*@", "//***@", text))
        findings.error(node.place, key, f"`{key}`: {shown} {problem}", hint)
        return None

    def write(self, value: object) -> Written:
        """As it stands."""
        return str(value)

    def schema(self) -> dict[str, object]:
        """By its scheme."""
        return {
            "type": "string",
            "anyOf": [
                {"pattern": "^file://."},
                {"pattern": "^s3://[^/@?#]+[^?#]*$"},
                {"pattern": "^https?://[^/@]*digitaloceanspaces[^/@]*/[^/?#]+"},
            ],
        }

    @property
    def words(self) -> str:
        """With the schemes."""
        return "a URL that starts with `file://`, `s3://` or `https://`"
