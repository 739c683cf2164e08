"""URLs of stores, by the original's table."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.store_url import url_problem


class StoreUrlTests(SynchronousTestCase):
    """The original's ten cases, and what is refused besides."""

    def test_accepted(self) -> None:
        """Files, buckets and Spaces, with a path and without."""
        for url in (
            "file://abc",
            "file://abc/x.gz",
            "file:///abc",
            "s3://bucket",
            "s3://bucket/x.gz",
            "s3://bucket/d/x.gz",
            "s3://bucket/",
            "https://nyc3.digitaloceanspaces.com/bucket",
            "https://nyc3.digitaloceanspaces.com/bucket/x.gz",
            "http://nyc3.digitaloceanspaces.com/bucket",
        ):
            self.assertEqual(("", ""), url_problem(url), url)

    def test_invalid_scheme(self) -> None:
        """Nothing, and anything without one of the schemes."""
        for url in ("", "abc", "/abc", "S3://bucket", "gs://bucket"):
            self.assertEqual("has no scheme that e2d knows", url_problem(url)[0])

    def test_unusable(self) -> None:
        """A file without a name, a host that is no Space, nothing for a bucket."""
        self.assertEqual("names no file", url_problem("file://")[0])
        self.assertEqual(
            "is not a DigitalOcean Space", url_problem("https://example.com/b")[0]
        )
        self.assertEqual("names no bucket", url_problem("s3://")[0])
        self.assertEqual(
            "names no bucket", url_problem("https://x.digitaloceanspaces.com")[0]
        )

    def test_credentials(self) -> None:
        """A URL with credentials would be logged somewhere (C16)."""
        self.assertEqual("holds credentials", url_problem("s3://key:word@bucket")[0])
