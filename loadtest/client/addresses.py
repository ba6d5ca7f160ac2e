"""What the machine must lend to many connections: local addresses with free ports, and open files."""

import ipaddress
import itertools
import resource

from loadtest.client.target import Target

PER_ADDRESS = 20_000
"""Connections from one address to one server; Linux has some 28,000 ports for them."""


class NotEnoughFiles(Exception):
    """The process may not open as many files as it needs; the message says what to do."""


class Sources:
    """Local addresses, in turn. `connections`: how many come from this machine, of all workers together."""

    def __init__(self, target: Target, connections: int) -> None:
        count = -(-connections // PER_ADDRESS)
        first = int(ipaddress.IPv4Address("127.0.0.2"))
        spread = count > 1 and _is_loopback(target.host)
        addresses = [str(ipaddress.IPv4Address(first + number)) for number in range(count)] if spread else [None]
        self._turns = itertools.cycle(addresses)

    def next(self) -> str | None:
        """Return the address that the next connection comes from; None leaves it to the system."""
        return next(self._turns)


def need_files(count: int) -> None:
    """Make sure that `count` files may be open, raising the soft limit if need be. Raises NotEnoughFiles."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or count <= soft:
        return
    if hard != resource.RLIM_INFINITY and count > hard:
        raise NotEnoughFiles(
            f"{count:,} open files are needed, and this process may have {hard:,}: "
            f"say `ulimit -n {count}` first (as root, or with a higher limit in /etc/security/limits.conf)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def _is_loopback(host: str) -> bool:
    """Whether other addresses of 127/8 reach it too. Of IPv6, there is only one loopback address."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.version == 4 and address.is_loopback
