"""What the server under load uses: of its processes, if they are on this machine, or as its /metrics say."""

import asyncio
import ipaddress
import math
import socket
import time
from dataclasses import dataclass
from typing import Literal

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from loadtest.client.target import Target

METRICS_TIMEOUT_S = 3.0
CPU = "process_cpu_seconds_total"
RSS = "process_resident_memory_bytes"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the server has used so far, at a moment (time.monotonic_ns)."""

    t_ns: int
    cpu_s: float
    rss_bytes: int


class ServerProbe:
    """Reads what a server uses: of the process `pid`, else of the one that listens on this machine, else /metrics."""

    def __init__(self, target: Target, pid: int | None = None) -> None:
        self.pid = find_server_pid(target) if pid is None else pid
        self.source: Literal["pid", "metrics"] = "metrics" if self.pid is None else "pid"
        self._metrics_url = f"{target.url}/metrics"
        self._process: psutil.Process | None = None

    async def read(self) -> Reading | None:
        """Return what is used; None if it cannot be told, as of a server that has died."""
        if self.pid is None:
            return await _read_metrics(self._metrics_url)
        return await asyncio.to_thread(self._read_processes, self.pid)

    def _read_processes(self, pid: int) -> Reading | None:
        try:
            if self._process is None:
                self._process = psutil.Process(pid)
            children = self._process.children(recursive=True)  # refuses a process that took over the id
            own = self._process.cpu_times()
            # Children that have ended are in the process's own times.
            cpu_s = own.user + own.system + own.children_user + own.children_system
            rss_bytes = self._process.memory_info().rss
        except psutil.Error:
            return None
        for child in children:
            child_cpu_s, child_rss_bytes = _use(child)
            cpu_s, rss_bytes = cpu_s + child_cpu_s, rss_bytes + child_rss_bytes
        return Reading(time.monotonic_ns(), cpu_s, rss_bytes)


def find_server_pid(target: Target) -> int | None:
    """Return the process that listens at the address; None if that is not on this machine, or not ours to see."""
    addresses = _local_addresses(target.host)
    try:
        listening = [
            (found.pid, found.laddr.ip)
            for found in psutil.net_connections("tcp")
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == target.port
        ]
    except (psutil.Error, OSError):
        return None
    here = {pid for pid, address in listening if address in addresses or (addresses and _is_any(address))}
    try:
        return _head({_eldest(psutil.Process(pid), target.port) for pid in here if pid is not None})
    except psutil.Error:
        return None


def _eldest(process: psutil.Process, port: int) -> psutil.Process:
    """Return the process from which this one has its socket, which is told of one of them only."""
    parent = process.parent()
    while parent is not None and _listens(parent, port):
        process, parent = parent, parent.parent()
    return process


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        connections = process.net_connections("tcp")
    except psutil.Error:
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in connections)


def _head(processes: set[psutil.Process]) -> int | None:
    """Return the one that listens; of several, each with a socket of its own, the one that started them all."""
    if len(processes) <= 1:
        return next((process.pid for process in processes), None)
    parents = {process.ppid() for process in processes}
    ours = {process.pid for process in psutil.Process().parents()}
    return parents.pop() if len(parents) == 1 and not parents & ours else min(process.pid for process in processes)


def _local_addresses(host: str) -> set[str]:
    """Return what the host's name stands for, as far as it is this machine."""
    try:
        named = {str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return set()
    ours = {address.address for addresses in psutil.net_if_addrs().values() for address in addresses}
    return {address for address in named if address in ours or ipaddress.ip_address(address).is_loopback}


def _is_any(address: str) -> bool:
    return ipaddress.ip_address(address).is_unspecified


def _use(process: psutil.Process) -> tuple[float, int]:
    try:
        times, memory = process.cpu_times(), process.memory_info()
    except psutil.Error:
        return 0.0, 0
    return times.user + times.system + times.children_user + times.children_system, memory.rss


async def _read_metrics(url: str) -> Reading | None:
    timeout = aiohttp.ClientTimeout(total=METRICS_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as response:
            return _reading(await response.text()) if response.ok else None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, IndexError):  # the last: the parser, on garbage
        return None


def _reading(text: str) -> Reading | None:
    """Return what a metrics page says, all processes together. Raises ValueError for what is not one."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    if not all(math.isfinite(found.get(name, math.inf)) for name in (CPU, RSS)):
        return None
    return Reading(time.monotonic_ns(), found[CPU], int(found[RSS]))
