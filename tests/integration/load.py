"""Clients of etcd that write and read all the time, and remember every answer."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Gateway", "GatewayError", "Load", "Writers"]

RETRY = 0.02
PAGE = 500


class GatewayError(Exception):
    """A request was not answered, or was refused."""


class Gateway:
    """
    One client over etcd's JSON gateway, on one connection: it loads and dials in
    milliseconds, which a gRPC client doesn't.
    """

    def __init__(self, port: int, timeout: float = 5.0) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=timeout
        )

    def call(self, path: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """
        One request.

        :raises GatewayError: it was not answered with success. It may have been done.
        """
        try:
            self._connection.request("POST", path, json.dumps(body))
            response = self._connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise GatewayError(repr(error)) from error
        if response.status != http.HTTPStatus.OK:
            raise GatewayError(f"{response.status} {raw[:300]!r}")
        answer: dict[str, Any] = json.loads(raw)
        return answer

    def put(self, key: str, value: str) -> int:
        """Write a key; the revision it was written at."""
        answer = self.call("/v3/kv/put", key=_encode(key), value=_encode(value))
        return int(answer["header"]["revision"])

    def get(self, key: str) -> str | None:
        """Read a key, linearizably."""
        found = self.call("/v3/kv/range", key=_encode(key)).get("kvs", [])
        return _decode(found[0].get("value", "")) if found else None

    def all(self, prefix: str) -> dict[str, str]:
        """Every key below a prefix that ends in a slash, and its value."""
        assert prefix.endswith("/")
        found: dict[str, str] = {}
        start, end = prefix, prefix[:-1] + "0"
        while True:
            answer = self.call(
                "/v3/kv/range", key=_encode(start), range_end=_encode(end), limit=PAGE
            )
            for each in answer.get("kvs", []):
                found[_decode(each["key"])] = _decode(each.get("value", ""))
            if not answer.get("more"):
                return found
            start = max(found) + "\0"

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return base64.b64decode(text).decode()


class Writers:
    """
    Clients that each write one new key after the other, whatever happens.

    :param prefix: of their keys, with a slash at its end.
    """

    def __init__(self, port: int, prefix: str, count: int = 4) -> None:
        self._port = port
        self._prefix = prefix
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(number,), daemon=True)
            for number in range(count)
        ]
        self._acknowledged: list[dict[str, str]] = [{} for _ in range(count)]

    @property
    def acknowledged(self) -> dict[str, str]:
        """What etcd said it has, so far."""
        whole: dict[str, str] = {}
        for each in self._acknowledged:
            whole.update(dict(each))
        return whole

    def count(self) -> int:
        """How many keys etcd said it has, so far."""
        return sum(map(len, self._acknowledged))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let them write meanwhile."""
        for each in self._threads:
            each.start()
        try:
            yield
        finally:
            self._stop.set()
            for each in self._threads:
                each.join()

    def _write(self, number: int) -> None:
        gateway, mine, turn = Gateway(self._port), self._acknowledged[number], 0
        while not self._stop.is_set():
            turn += 1
            key, value = f"{self._prefix}{number}/{turn:06}", f"value {number} {turn}"
            try:
                gateway.put(key, value)
            except GatewayError:
                time.sleep(RETRY)
            else:
                mine[key] = value
        gateway.close()


class Load:
    """
    Clients that write and read, to whom no request may fail.

    :param pause: seconds between two requests of one client.
    """

    def __init__(self, port: int, count: int = 3, pause: float = 0.005) -> None:
        self._port = port
        self._pause = pause
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(number,), daemon=True)
            for number in range(count)
        ]
        self._done = [0] * count
        self.failures: list[str] = []

    @property
    def done(self) -> int:
        """How many requests were answered."""
        return sum(self._done)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let them work meanwhile."""
        for each in self._threads:
            each.start()
        try:
            yield
        finally:
            self._stop.set()
            for each in self._threads:
                each.join()

    def _work(self, number: int) -> None:
        gateway, turn = Gateway(self._port), 0
        while not self._stop.is_set():
            turn += 1
            key, value = f"/load/{number}/{turn % 50}", f"value {turn}"
            try:
                gateway.put(key, value)
                read = gateway.get(key)
            except GatewayError as error:
                self.failures.append(f"{key}: {error}")
            else:
                self._done[number] += 2
                if read != value:
                    self.failures.append(f"{key}: read {read!r}, wrote {value!r}")
            time.sleep(self._pause)
        gateway.close()
