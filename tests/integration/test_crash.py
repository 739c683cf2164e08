"""
Nothing that was acknowledged is ever lost, however e2d and etcd die.

etcd's fsync is on. A failing run is repeated with the seed that it printed: E2D_SEED.
"""

from __future__ import annotations

import contextlib
import http
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from enum import Enum

from attrs import frozen

from tests.integration.daemon import Daemon, DaemonTestCase
from tests.integration.etcds import EtcdLine
from tests.integration.lines import newest, on_each_line
from tests.integration.load import Gateway, Load, Writers
from tests.integration.watching import is_running, until

ROUNDS = 50
ROUNDS_OF_OLDER_LINES = 20
KEYS = 1000
KEYS_PER_ROUND = KEYS // ROUNDS
ATTEMPTS = 20
KILLS_UNDER_LOAD = 20
FOUNDINGS = 8


class Moment(Enum):
    """When processes are killed."""

    BEFORE_SPAWN = "before-spawn"
    BEFORE_READY = "before-ready"
    SERVING = "serving"
    STOPPING = "stopping"


class Target(Enum):
    """Which processes are killed."""

    E2D = "e2d"
    ETCD = "etcd"
    BOTH = "both"


@frozen
class Point:
    """One kill."""

    moment: Moment
    target: Target


# Before etcd is spawned there is only e2d to kill.
POINTS = (
    Point(Moment.BEFORE_SPAWN, Target.E2D),
    *(
        Point(moment, target)
        for moment in (Moment.BEFORE_READY, Moment.SERVING, Moment.STOPPING)
        for target in Target
    ),
)


class CrashRun:
    """
    Kills at random points, and brings everything back before each.

    :param chance: decides when.
    """

    def __init__(self, node: Daemon, writers: Writers, chance: random.Random) -> None:
        self._node = node
        self._writers = writers
        self._chance = chance
        self._reach: dict[Moment, Callable[[Target], bool]] = {
            Moment.BEFORE_SPAWN: self._before_spawn,
            Moment.BEFORE_READY: self._before_ready,
            Moment.SERVING: self._serving,
            Moment.STOPPING: self._stopping,
        }

    def strike(self, point: Point) -> None:
        """One kill at a point: a moment that was missed is waited for again."""
        for _ in range(ATTEMPTS):
            self.serve()
            if self._reach[point.moment](point.target):
                break
        else:
            raise AssertionError(f"{point} was missed {ATTEMPTS} times")
        etcds = self._node.etcds()
        if point.target is not Target.ETCD:
            self._node.send(signal.SIGKILL)
        if point.target is not Target.E2D:
            kill_all(etcds)
        if point.target is not Target.ETCD:
            self._node.wait()
        elif point.moment is Moment.STOPPING:
            code = self._node.wait()
            assert code == 0, f"e2d was told to stop and exited with {code}"

    def serve(self) -> None:
        """Bring back what is not there, and let the clients write some more."""
        if not self._node.alive:
            self._node.start()
        self._node.wait_ready(60)
        enough = self._writers.count() + KEYS_PER_ROUND
        until("more is acknowledged", lambda: self._writers.count() >= enough, 60)

    # Each of these says whether its moment is really now.

    def _before_spawn(self, _target: Target) -> bool:
        self._start_anew()
        self._pause(0.8)
        return self._node.alive and not self._node.etcds()

    def _before_ready(self, _target: Target) -> bool:
        self._start_anew()
        until("etcd is spawned", self._node.etcds)
        self._pause(0.4)
        return bool(self._node.etcds()) and not self._ready()

    def _serving(self, _target: Target) -> bool:
        self._pause(0.3)
        return self._ready()

    def _stopping(self, target: Target) -> bool:
        self._node.send(signal.SIGTERM)
        # etcd ends within milliseconds, and e2d within a tenth of a second.
        self._pause(0.005 if target is Target.ETCD else 0.1)
        if target is Target.ETCD:
            still_there = any(map(is_running, self._node.etcds()))
        else:
            still_there = self._node.alive
        if not still_there:
            self._node.wait()
        return still_there

    def _start_anew(self) -> None:
        self._node.kill()
        self._node.kill_etcd()
        self._node.start()

    def _ready(self) -> bool:
        return self._node.get("/readyz")[0] == http.HTTPStatus.OK

    def _pause(self, seconds: float) -> None:
        time.sleep(self._chance.uniform(0, seconds))


def kill_all(pids: Iterable[int]) -> None:
    """SIGKILL to each that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def make_points(rounds: int, chance: random.Random) -> list[Point]:
    """So many points, each kind as often as any other, in random order."""
    points = [POINTS[number % len(POINTS)] for number in range(rounds)]
    chance.shuffle(points)
    return points


@on_each_line
class CrashTests(DaemonTestCase):
    """SIGKILL, of e2d, of etcd, of both."""

    def chance(self) -> random.Random:
        """Chance with a seed that is printed."""
        seed = os.environ.get("E2D_SEED") or str(random.SystemRandom().getrandbits(32))
        print(f"\n{self.id()}: E2D_SEED={seed}", flush=True)  # noqa: T201 - to repeat it
        return random.Random(seed)

    def test_no_acknowledged_key_is_lost(self, etcd: EtcdLine) -> None:
        """Killed at random points again and again, etcd has every acknowledged key."""
        chance = self.chance()
        rounds = ROUNDS if etcd == newest() else ROUNDS_OF_OLDER_LINES
        node = self.serving(etcd, unsafeNoFsync=False)
        member_id = node.status()["cluster"]["member"]["member_id"]
        writers = Writers(node.client, "/crash/")
        run = CrashRun(node, writers, chance)
        points = make_points(rounds, chance)
        with writers.writing():
            for point in points:
                run.strike(point)
            run.serve()
            until("enough is acknowledged", lambda: writers.count() >= KEYS)
        self.assertEqual(node.status()["cluster"]["member"]["member_id"], member_id)
        self.assertEqual(node.stop(), 0)
        node.serve()
        held = Gateway(node.client).all("/crash/")
        acknowledged = writers.acknowledged
        missing = {
            key: value for key, value in acknowledged.items() if held.get(key) != value
        }
        self.assertEqual(missing, {})
        hit = Counter(f"{each.moment.value} {each.target.value}" for each in points)
        print(f"{rounds} kills: {dict(hit)}; {len(acknowledged)} keys", flush=True)  # noqa: T201

    def test_killed_while_founding(self, etcd: EtcdLine) -> None:
        """A node killed before it ever served founds its cluster at the next start."""
        chance = self.chance()
        for _ in range(FOUNDINGS):
            node = self.daemon(etcd, unsafeNoFsync=False)
            node.start()
            time.sleep(chance.uniform(0.3, 1.5))
            etcds = node.etcds()
            node.send(signal.SIGKILL)
            if chance.random() < 0.5:
                kill_all([*etcds, *node.etcds()])
            node.wait()
            node.serve()
            self.assertEqual(node.etcdctl("put", "a", "1").out, "OK\n")
            self.assertEqual(node.stop(), 0)

    def test_e2d_killed_under_load(self, etcd: EtcdLine) -> None:
        """B1: e2d is killed 20 times, no request fails, each next one adopts etcd."""
        chance = self.chance()
        node = self.serving(etcd)
        pid = node.etcd_pid()
        load = Load(node.client)
        with load.running():
            for turn in range(KILLS_UNDER_LOAD):
                # Every other time all of its process group is: etcd is not in it.
                node.kill() if turn % 2 else node.kill_group()
                self.assertEqual(node.etcd_pid(), pid)
                node.serve()
                status = node.status()["etcd"]
                self.assertEqual((status["pid"], status["adopted"]), (pid, True))
                time.sleep(chance.uniform(0, 0.3))
        self.assertEqual(load.failures, [])
        self.assertGreater(load.done, 1000)
        self.assertEqual(node.stop(), 0)
        self.assertFalse(is_running(pid))
        self.assertEqual(node.remains(), [])
