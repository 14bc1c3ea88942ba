"""Where a request came from: the address of its client, through the proxies that are trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

_UNIX = ip_address("127.0.0.1")  # a unix socket has no address: who may open it is a neighbour


def client_of(environ: Mapping[str, object], trusted: Networks) -> str:
    """The right-most address of X-Forwarded-For that no trusted proxy has, if a trusted proxy says so; else the peer's.

    Each proxy appends whom it heard, so what stands further left is only that one's own word. What is no address ends
    the search at the last proxy that could be trusted. "unix" for whoever speaks for itself on a unix socket.
    """
    peer = str(environ.get("REMOTE_ADDR") or "")
    told = environ.get("HTTP_X_FORWARDED_FOR")
    here = _address(peer) if peer else _UNIX
    if not isinstance(told, str) or here is None or not _is_in(here, trusted):
        return str(here) if peer and here else peer or "unix"
    for text in reversed(told.split(",")):
        further = _address(text.strip())
        if further is None:
            break
        here = further
        if not _is_in(here, trusted):
            break
    return str(here)


def _is_in(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)


@lru_cache(maxsize=1024)  # mostly it is one of a few proxies
def _address(text: str) -> Address | None:
    """Some proxies write ports, too: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
