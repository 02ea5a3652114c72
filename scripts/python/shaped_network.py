"""Several hosts on one machine: network namespaces that are joined by a switch with a given latency and bandwidth.

The switch is this process: each host's network card is a TAP device whose frames it hands on after their time. Needs root and
/dev/net/tun; no kernel module for shaping. Frames are large (9000 bytes), so that Python keeps up with some hundred Mbit/s.
"""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import threading
import time

TUNSETIFF, TAP, PLAIN = 0x400454CA, 0x0002, 0x1000
CLONE_NEWNET = 0x40000000
MTU = 9000


def _enter(namespace):
    # os.setns is newer than some Pythons.
    if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _run(*words):
    subprocess.run(words, check=True)


class Network:
    """So many hosts, 10.77.0.1 and up. `latency` is one way, in seconds; `rate` in bits a second, of each host's sending side."""

    def __init__(self, hosts, latency=0.0, rate=None, prefix="wt"):
        self.latency, self.rate = latency, rate
        self.names = [f"{prefix}{os.getpid()}-{index}" for index in range(hosts)]
        self.addresses = [f"10.77.0.{index + 1}" for index in range(hosts)]
        self.cards = []
        # What a host sends or gets no more.
        self.unplugged = set()
        self.bytes = [0] * hosts
        self._ends = False
        for index, name in enumerate(self.names):
            _run("ip", "netns", "add", name)
            self.cards.append(self._card(name))
            # A connection that rests between two steps keeps its window, as administrators of such machines set it.
            _run("ip", "netns", "exec", name, "sysctl", "-q", "-w", "net.ipv4.tcp_slow_start_after_idle=0")
            _run("ip", "-n", name, "link", "set", "lo", "up")
            _run("ip", "-n", name, "link", "set", "eth0", "mtu", str(MTU))
            _run("ip", "-n", name, "addr", "add", f"{self.addresses[index]}/24", "dev", "eth0")
            _run("ip", "-n", name, "link", "set", "eth0", "up")
        self._thread = threading.Thread(target=self._switch, daemon=True)
        self._thread.start()

    @staticmethod
    def _card(name):
        """A TAP device inside of a namespace, whose frames are read and written here."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        inner = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            _enter(inner)
            card = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(card, TUNSETIFF, struct.pack("16sH", b"eth0", TAP | PLAIN))
        finally:
            _enter(own)
            os.close(own)
            os.close(inner)
        return card

    def _switch(self):
        free = [0.0] * len(self.cards)
        places = {}
        waiting, number = [], 0
        poll = select.poll()
        for card in self.cards:
            poll.register(card, select.POLLIN)
        index_of = {card: index for index, card in enumerate(self.cards)}
        while not self._ends:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                _, _, targets, frame = heapq.heappop(waiting)
                for target in targets:
                    if target not in self.unplugged:
                        try:
                            os.write(self.cards[target], frame)
                        except BlockingIOError:
                            pass
            # In milliseconds, at least: the last bit of the wait is spent asking again.
            timeout = 50 if not waiting else max(0, int((waiting[0][0] - now) * 1000))
            for card, _ in poll.poll(timeout):
                for _ in range(32):
                    try:
                        frame = os.read(card, MTU + 64)
                    except BlockingIOError:
                        break
                    source = index_of[card]
                    places[frame[6:12]] = source
                    if source in self.unplugged:
                        continue
                    self.bytes[source] += len(frame)
                    now = time.monotonic()
                    free[source] = max(free[source], now) + (len(frame) * 8 / self.rate if self.rate else 0)
                    target = places.get(frame[:6])
                    targets = [target] if target is not None else [i for i in range(len(self.cards)) if i != source]
                    number += 1
                    heapq.heappush(waiting, (free[source] + self.latency, number, targets, frame))

    def start(self, index, command, variables, **more):
        """Starts a command on a host."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.names[index], *command], env=dict(os.environ, **variables),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)

    def unplug(self, index):
        self.unplugged.add(index)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ends = True
        self._thread.join()
        for card in self.cards:
            os.close(card)
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False)
