"""A port for a program that has to be told one."""

import random
import socket
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """One that is free and stays so: it is none of those that the system gives to whoever asks for any."""
    given_out = int(RANGE.read_text().split()[0]) if RANGE.exists() else 49152
    while True:
        port = random.randrange(max(1024, given_out - 10_000), given_out)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
