"""
One gRPC channel to one member. Importing this loads gRPC, so it is done in a thread.

Note [Only the channel of etcd3]
--------------------------------
``etcd3``'s own methods block a thread for each call, cannot be cancelled, know neither
learners nor linearizable lists, and in 0.13 declare their only endpoint failed for
300 s after one error. So of ``etcd3`` are used what 0.12 and 0.13 share: the client's
construction (files of credentials, channel) and its generated messages.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from attrs import define

# gRPC's C core writes to standard error, which is our log: it is to be silent.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import etcd3
import grpc

from e2d.etcd.messages import message_class
from e2d.etcd.methods import Fields, Method, Reply
from e2d.etcd.refusals import StreamBroke

__all__ = ["GrpcChannel", "GrpcStream", "open_channel"]

_MEBIBYTE = 1024 * 1024
_OPTIONS = [
    # A page of 10,000 keys of a few hundred bytes; a snapshot's chunk is 32 KiB.
    ("grpc.max_receive_message_length", 64 * _MEBIBYTE),
    # etcd refuses requests above 1.5 MiB itself; this is for our own mistakes.
    ("grpc.max_send_message_length", 16 * _MEBIBYTE),
    # One channel is one member: nothing between, nothing repeated, nothing shared.
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.use_local_subchannel_pool", 1),
    # An etcd that is not there yet is asked again soon.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 3000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A member that vanished without a word; etcd forbids pings more often than 5 s.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
]

Settled = Callable[[str | None, str, Reply], None]
"""Told the name of the status (None for success), its text, and the reply."""


@define(eq=False)
class GrpcStream:
    """Messages that etcd sends in answer to one request, taken one at a time."""

    _call: Reply

    def take(self) -> Reply | None:
        """
        Block until there is another message; None after the last.

        No message is asked of the network before, so the reader sets the pace.

        :raises StreamBroke: it ended with an error, or was cancelled.
        """
        try:
            return next(self._call)
        except StopIteration:
            return None
        except grpc.RpcError as error:
            raise StreamBroke(_code_of(error), error.details() or "") from None

    def cancel(self) -> None:
        """End it; a `take` under way ends with it. From any thread."""
        self._call.cancel()


@define(eq=False)
class GrpcChannel:
    """Calls that do not block, and streams that do."""

    _client: Reply
    _channel: Reply

    def call(
        self,
        method: Method,
        fields: Fields,
        seconds: float,
        metadata: tuple[tuple[str, str], ...],
        settled: Settled,
    ) -> Callable[[], None]:
        """
        Begin a call, with a deadline. Does not block.

        :param settled: called once, in a thread of gRPC's.
        :return: cancels the call.
        :raises ValueError: the channel is closed.
        """
        procedure = self._channel.unary_unary(
            method.path,
            request_serializer=message_class(method.request).SerializeToString,
            response_deserializer=message_class(method.response).FromString,
        )
        request = message_class(method.request)(**fields)
        future = procedure.future(request, timeout=seconds, metadata=metadata)
        future.add_done_callback(lambda done: _settle(done, settled))
        return lambda: _cancel(future)

    def stream(
        self, method: Method, fields: Fields, metadata: tuple[tuple[str, str], ...]
    ) -> GrpcStream:
        """
        Begin a stream. Does not block.

        A watch is a stream in both directions for etcd; one that sends a single request
        and closes its own half needs no thread to feed it, and etcd goes on watching.

        :raises ValueError: the channel is closed.
        """
        procedure = self._channel.unary_stream(
            method.path,
            request_serializer=message_class(method.request).SerializeToString,
            response_deserializer=message_class(method.response).FromString,
        )
        request = message_class(method.request)(**fields)
        return GrpcStream(procedure(request, metadata=metadata))

    def close(self) -> None:
        """End all calls and let go of the connection. May block shortly."""
        self._client.close()


def open_channel(
    host: str, port: int, ca: str | None, cert: str | None, key: str | None
) -> GrpcChannel:
    """
    Read the credentials and make a channel; it connects at the first call.

    :raises OSError: a file cannot be read.
    :raises ValueError: the files do not hold what they should.
    """
    client = etcd3.client(
        host=f"[{host}]" if ":" in host else host,
        port=port,
        ca_cert=ca,
        cert_cert=cert,
        cert_key=key,
        grpc_options=_OPTIONS,
    )
    return GrpcChannel(client, client.channel)


def _cancel(future: Reply) -> None:
    future.cancel()


def _settle(future: Reply, settled: Settled) -> None:
    try:
        reply = future.result()
    except grpc.RpcError as error:
        settled(_code_of(error), error.details() or "", None)
    except grpc.FutureCancelledError:
        settled("CANCELLED", "cancelled", None)
    else:
        settled(None, "", reply)


def _code_of(error: Reply) -> str:
    code = error.code()
    return "UNKNOWN" if code is None else str(code.name)
