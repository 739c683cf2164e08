"""
The protobuf messages, from ``etcd3`` where it knows all their fields.

Importing this loads gRPC and protobuf: only `e2d.etcd.channel` does, and late.

Note [Messages of our own]
--------------------------
No release of ``etcd3`` knows learners, linearizable member lists or what 3.4 added to
Status: its ``.proto`` files are those of etcd 3.2. The few messages that changed since
are described here, field by field, with protobuf's own run-time descriptors: the wire
knows only numbers, so a message of another name and the same numbers is the same.
They live in a pool of their own, which cannot clash with the descriptors of ``etcd3``.
"""

from __future__ import annotations

from etcd3 import etcdrpc
from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from e2d.etcd.methods import Reply

__all__ = ["message_class"]

_PACKAGE = "e2d.etcd"
_TYPES = {
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "string": FieldDescriptorProto.TYPE_STRING,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
}

# Per message: field name -> (number, type), "*" before the type of a repeated field.
_FIELDS: dict[str, dict[str, tuple[int, str]]] = {
    "ResponseHeader": {
        "cluster_id": (1, "uint64"),
        "member_id": (2, "uint64"),
        "revision": (3, "int64"),
        "raft_term": (4, "uint64"),
    },
    "Member": {
        "ID": (1, "uint64"),
        "name": (2, "string"),
        "peerURLs": (3, "*string"),
        "clientURLs": (4, "*string"),
        "isLearner": (5, "bool"),
    },
    "MemberAddRequest": {"peerURLs": (1, "*string"), "isLearner": (2, "bool")},
    "MemberAddResponse": {"header": (1, "ResponseHeader"), "member": (2, "Member")},
    "MemberPromoteRequest": {"ID": (1, "uint64")},
    "MemberPromoteResponse": {"header": (1, "ResponseHeader")},
    "MemberListRequest": {"linearizable": (1, "bool")},
    "MemberListResponse": {"header": (1, "ResponseHeader"), "members": (2, "*Member")},
    "StatusResponse": {
        "header": (1, "ResponseHeader"),
        "version": (2, "string"),
        "dbSize": (3, "int64"),
        "leader": (4, "uint64"),
        "raftIndex": (5, "uint64"),
        "raftTerm": (6, "uint64"),
        "raftAppliedIndex": (7, "uint64"),
        "errors": (8, "*string"),
        "dbSizeInUse": (9, "int64"),
        "isLearner": (10, "bool"),
    },
}


def message_class(name: str) -> Reply:
    """
    The class of one of etcd's messages.

    :param name: as in etcd's ``rpc.proto``.
    """
    return _ours[name] if name in _ours else getattr(etcdrpc, name)


def _describe(descriptor: FieldDescriptorProto, number: int, kind: str) -> None:
    repeated = kind.startswith("*")
    kind = kind.removeprefix("*")
    descriptor.number = number
    descriptor.label = (
        FieldDescriptorProto.LABEL_REPEATED
        if repeated
        else FieldDescriptorProto.LABEL_OPTIONAL
    )
    if kind in _TYPES:
        descriptor.type = _TYPES[kind]
    else:
        descriptor.type = FieldDescriptorProto.TYPE_MESSAGE
        descriptor.type_name = f".{_PACKAGE}.{kind}"


def _build() -> dict[str, Reply]:
    file = FileDescriptorProto(name="e2d/etcd.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            _describe(message.field.add(name=field_name), number, kind)
    pool = DescriptorPool()
    pool.Add(file)
    return {
        name: _class_of(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"), pool)
        for name in _FIELDS
    }


def _class_of(descriptor: Reply, pool: DescriptorPool) -> Reply:
    try:
        make = message_factory.GetMessageClass
    except AttributeError:  # protobuf before 4.22, as Debian 13 has it
        factory: Reply = message_factory.MessageFactory(pool)
        return factory.GetPrototype(descriptor)
    return make(descriptor)


_ours = _build()
