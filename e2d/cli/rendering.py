"""
The status for people: what ``/status`` and ``/decisions`` say, in lines. Pure.

The first line is the verdict; whoever reads no further must know whether clients are
served and, if not, why and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import frozen

from e2d.cli.ring_words import ring_texts
from e2d.cli.words import count, duration, paragraph, printable, size

__all__ = [
    "Line",
    "Tone",
    "decision_lines",
    "mentioning",
    "resumed",
    "status_lines",
]

Document = dict[str, Any]

INDENT = 10
"""The column at which the text of a section starts."""

MENTION_INDENT = 13

ENDLESS = "9999-12-31T23:59:59Z"
"""The end of a pause that has none."""

STALE_SECONDS = 30.0
"""A loop that turned well longer ago than this is worth a word."""


class Tone(Enum):
    """How a line is coloured, where there are colours."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    CAUTION = "caution"


@frozen
class Line:
    """One line, without its end."""

    text: str
    tone: Tone = Tone.PLAIN


LOOK_AT_E2D = (
    "look at e2d's log and at the disk; e2d can be restarted, etcd runs on meanwhile"
)

CHILD_WORDS = {
    "absent": "not running",
    "starting": "starting",
    "serving": "serving",
    "not-answering": "running but not answering",
    "stopping": "stopping",
    "failed": "not running",
}

PASSING = frozenset({"starting", "stopping"})
"""States that nobody needs to be alarmed about: they end by themselves."""


def status_lines(status: Document) -> list[Line]:
    """
    The whole status.

    :param status: what ``/status`` answers.
    :raises KeyError: it is not that; nor is it if it raises TypeError or ValueError.
    """
    return [
        *_verdict(status),
        Line(""),
        *_section("node", _node(status)),
        *_section("data", [f"{status['node']['data_dir']}: {status['data']}"]),
        *_section("etcd", _etcd(status["etcd"])),
        *_section("members", _members(status["cluster"])),
        *_section("database", _database(status["cluster"])),
        *_section("alarms", _alarms(status["cluster"])),
        *_section("gossip", _gossip(status["gossip"])),
        *_section("loop", _loop(status)),
        *_section("stop", [_stop(status)]),
        *_section("paused", _pause(status), Tone.CAUTION),
        *_warnings(status),
    ]


def decision_lines(decisions: Sequence[Document]) -> list[Line]:
    """
    Decisions, with a blank line between them.

    :param decisions: of ``/decisions``, in the order in which they are shown.
    :raises KeyError: they are not that.
    """
    lines: list[Line] = []
    for decision in decisions:
        if lines:
            lines.append(Line(""))
        lines.extend(_decision(decision))
    return lines


def resumed(pause: Document | None) -> str:
    """
    What ``e2d resume`` did, in a line.

    :param pause: ``ended`` of its answer.
    :raises KeyError: it is not that; nor is it if it raises TypeError.
    """
    if pause is None:
        return "there was no pause"
    until = "" if pause["until"] == ENDLESS else f" until {pause['until']}"
    reason = f": {pause['reason']}" if pause["reason"] else ""
    return printable(f"ended the pause by {pause['by']}{until}{reason}")


def mentioning(decisions: Sequence[Document], member: str) -> list[Document]:
    """
    The decisions that have to do with a member.

    :param member: its name or id, as a whole word.
    """
    word = re.compile(rf"(?<![\w-]){re.escape(member)}(?![\w-])", re.IGNORECASE)
    return [
        decision
        for decision in decisions
        if any(word.search(text) for text in _texts(decision))
    ]


# -- the verdict ------------------------------------------------------------------


def _verdict(status: Document) -> Iterator[Line]:
    problem = status["loop"]["problem"]
    if problem is not None:
        yield from _lines("", f"NOT KNOWN: {problem}", Tone.BAD, indent=0)
        yield from _lines("do:", LOOK_AT_E2D, Tone.BAD)
        return
    if not status["ready"]:
        tone = Tone.CAUTION if status["etcd"]["state"] in PASSING else Tone.BAD
        yield from _lines("", _not_serving(status), tone, indent=0)
        yield from _way_out(status)
    elif status["plan"]["code"] is not None:
        yield from _lines("", _serving_but(status["plan"]), Tone.BAD, indent=0)
        yield from _way_out(status)
    else:
        yield from _lines("", _serving(status), Tone.GOOD, indent=0)


def _way_out(status: Document) -> Iterator[Line]:
    etcd, plan = status["etcd"], status["plan"]
    halted = plan["kind"] == "halt"
    remedy = plan["remedy"] or etcd["remedy"]
    if remedy is not None:
        yield from _lines("do:", remedy, Tone.BAD)
    if etcd["retry_in_seconds"] is not None:
        yield from _lines("then:", f"next try in {duration(etcd['retry_in_seconds'])}")
    elif halted:
        yield from _lines("then:", "nothing happens until a person acts")
    if plan["code"] is not None and etcd["state"] not in PASSING:
        yield from _lines("see:", f"the runbook's page {plan['code']}")


def _serving(status: Document) -> str:
    cluster = status["cluster"]
    members, member = cluster["members"], cluster["member"]
    name = status["node"]["name"] or "without a name"
    words = f"member {name}"
    if members is not None:
        number = len(members)
        words = f"single {words}" if number == 1 else f"{words} of {number}"
    if member is None:
        return f"serving: {words}"
    parts: list[str] = [f"{words} ({member['member_id']})"]
    parts.append("leader" if _leads(member) else _follows(member))
    parts.append(f"revision {member['revision']}")
    return "serving: " + ", ".join(parts)


def _leads(member: Document) -> bool:
    return bool(member["leader"] == member["member_id"])


def _follows(member: Document) -> str:
    if member["leader"] is None:
        return "no leader"
    role = "learner" if member["role"] == "learner" else "follower"
    return f"{role} of {member['leader']}"


def _serving_but(plan: Document) -> str:
    halted = " halted" if plan["kind"] == "halt" else ""
    return f"serving, but{halted} ({plan['code']}): {plan['reason']}"


def _not_serving(status: Document) -> str:
    etcd, plan = status["etcd"], status["plan"]
    state = CHILD_WORDS.get(etcd["state"], etcd["state"])
    if plan["code"] is None:
        return f"NOT serving: {etcd['problem'] or f'etcd is {state}'}"
    halted = ", halted" if plan["kind"] == "halt" else ""
    return f"NOT serving{halted} ({plan['code']}): {plan['reason']}"


# -- the sections -----------------------------------------------------------------


def _node(status: Document) -> list[str]:
    node = status["node"]
    up = (_moment(status["at"]) - _moment(node["started_at"])).total_seconds()
    return [
        f"{node['name'] or 'not named yet'} in cluster {node['cluster_name']},"
        f" up {duration(up)}",
        f"e2d {node['e2d_version']}, pid {node['pid']}",
        f"configuration {node['config']}",
        f"control socket {node['socket']}",
    ]


def _etcd(etcd: Document) -> list[str]:
    state: str = etcd["state"]
    parts = [
        etcd["version"] or "version not known yet",
        CHILD_WORDS.get(state, state),
    ]
    if etcd["for_seconds"] is not None:
        parts[-1] += f" for {duration(etcd['for_seconds'])}"
    if etcd["failures_in_a_row"]:
        parts[-1] += f", failed {count(etcd['failures_in_a_row'], 'time')} in a row"
    if etcd["pid"] is not None:
        parts.append(f"pid {etcd['pid']}")
    parts.append(count(etcd["starts"], "start"))
    if etcd["adopted"]:
        parts.append("adopted from an earlier e2d")
    return [
        ", ".join(parts),
        f"clients {etcd['client_url']}, peers {etcd['peer_url']}",
    ]


def _members(cluster: Document) -> list[str]:
    if cluster["members"] is None and cluster["denied"] is not None:
        return [f"not known: etcd refused: {cluster['denied']}"]
    if cluster["members"] is None:
        return ["not known: no quorum proved the list"]
    status = cluster["member"]
    leader = None if status is None else status["leader"]
    return [_member(member, leader) for member in cluster["members"]]


def _member(member: Document, leader: str | None) -> str:
    words: list[str] = [
        member["member_id"],
        member["name"] or "(not started)",
        member["role"],
    ]
    if member["member_id"] == leader:
        words.append("leader")
    return " ".join(words)


def _database(cluster: Document) -> list[str]:
    member = cluster["member"]
    if member is None:
        return []
    sizes = size(member["db_size_bytes"])
    if member["db_size_in_use_bytes"] is not None:
        sizes += f", {size(member['db_size_in_use_bytes'])} in use"
    return [f"{sizes}; raft term {member['raft_term']}, index {member['raft_index']}"]


def _alarms(cluster: Document) -> list[str]:
    alarms = cluster["alarms"]
    if alarms is None:
        return ["not known"]
    raised = [f"{alarm['alarm']} of {alarm['member_id']}" for alarm in alarms]
    return raised or ["none"]


def _gossip(ring: Document | None) -> list[str]:
    return [] if ring is None else ring_texts(ring)


def _loop(status: Document) -> list[str]:
    plan, loop = status["plan"], status["loop"]
    code = "" if plan["code"] is None else f" ({plan['code']})"
    lines = [
        f"{plan['kind']}{code}: {plan['reason']}",
        *[f"step: {step}" for step in _steps(plan)],
        f"looks again in {duration(plan['look_again_seconds'])}",
    ]
    if loop["failures"]:
        lines.append(f"{count(loop['failures'], 'turn')} of {loop['turns']} failed")
    age = loop["last_success_age_seconds"]
    if age is not None and age >= STALE_SECONDS:
        lines.append(f"last turned well {duration(age)} ago")
    return lines


def _stop(status: Document) -> str:
    if status["safe_to_stop"]:
        return "safe: a serving majority remains without this node"
    if status["cluster"]["alarms"]:
        return "not safe: etcd raised an alarm"
    return "not safe: no serving majority is known to remain without this node"


def _pause(status: Document) -> list[str]:
    pause = status["pause"]
    if pause is None:
        return []
    if pause["until"] == ENDLESS:
        text = "until a person resumes,"
    else:
        left = (_moment(pause["until"]) - _moment(status["at"])).total_seconds()
        text = f"until {pause['until']} ({duration(left)} left)"
    text += f" by {pause['by']}"
    return [text if not pause["reason"] else f"{text}: {pause['reason']}"]


def _warnings(status: Document) -> Iterator[Line]:
    for warning in status["warnings"]:
        yield from _lines("warning", warning, Tone.CAUTION)


def _decision(decision: Document) -> Iterator[Line]:
    plan = decision["plan"]
    code = "" if plan["code"] is None else f" ({plan['code']})"
    head = f"{decision['at']} {plan['kind']}{code}: {plan['reason']}"
    yield from _lines("", head, indent=0)
    if plan["remedy"] is not None:
        yield from _lines("  to do", plan["remedy"], indent=MENTION_INDENT)
    for number, step in enumerate(_steps(plan)):
        label = "" if number else "  steps"
        yield from _lines(label, step, indent=MENTION_INDENT)
    yield from _lines("  outcome", decision["outcome"], indent=MENTION_INDENT)
    for number, fact in enumerate(decision["observation"]):
        label = "" if number else "  observed"
        yield from _lines(label, fact, indent=MENTION_INDENT)


def _steps(plan: Document) -> list[str]:
    """What is done; the steps of a plan that waits only repeat its reason."""
    return list(plan["steps"]) if plan["kind"] == "acting" else []


def _texts(decision: Document) -> Iterator[str]:
    plan = decision["plan"]
    yield plan["reason"]
    yield from plan["steps"]
    yield from decision["observation"]


def _section(
    label: str, texts: Sequence[str], tone: Tone = Tone.PLAIN
) -> Iterator[Line]:
    for number, text in enumerate(texts):
        yield from _lines("" if number else label, text, tone)


def _lines(
    label: str, text: str, tone: Tone = Tone.PLAIN, *, indent: int = INDENT
) -> Iterator[Line]:
    for line in paragraph(label, printable(text), indent):
        yield Line(line, tone)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
