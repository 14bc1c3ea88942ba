"""Whose address a call is said to come from."""

from ipaddress import ip_network

import pytest

from app.web.peer import client_of

TRUSTED = tuple(map(ip_network, ("127.0.0.1/32", "::1/128", "10.0.0.0/8", "2001:db8:ffff::/48")))

#: peer, X-Forwarded-For, who that is
HEARD = [
    # Nobody else's word is taken.
    ("192.0.2.1", None, "192.0.2.1"),
    ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
    ("2001:DB8::1", "203.0.113.9", "2001:db8::1"),
    ("11.0.0.1", "127.0.0.1", "11.0.0.1"),
    # A trusted proxy's is.
    ("127.0.0.1", None, "127.0.0.1"),
    ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
    ("::1", "2001:db8::7", "2001:db8::7"),
    ("10.255.0.1", " 203.0.113.9 ", "203.0.113.9"),
    ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
    ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
    # What the client itself said stands to the left, and counts for nothing.
    ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
    ("127.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"),
    ("127.0.0.1", "198.51.100.1,203.0.113.9,10.0.0.2,2001:db8:ffff::1", "203.0.113.9"),
    ("127.0.0.1", "nonsense, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
    # All of them trusted: the first of them asked by itself.
    ("127.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    # With ports, as some proxies write them.
    ("127.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
    ("127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
    ("127.0.0.1", "[2001:db8::7]", "2001:db8::7"),
    ("127.0.0.1", "fe80::1%eth0", "fe80::1"),
    # No address: the last one that could be trusted is all that is known.
    ("127.0.0.1", "", "127.0.0.1"),
    ("127.0.0.1", "unknown", "127.0.0.1"),
    ("127.0.0.1", "203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"),
    ("127.0.0.1", '203.0.113.9\n{"event":"call"}', "127.0.0.1"),
    ("127.0.0.1", "203.0.113.9,", "127.0.0.1"),
    ("127.0.0.1", "0x7f000001", "127.0.0.1"),
    ("127.0.0.1", "203.0.113.9 10.0.0.1", "127.0.0.1"),
    # On a unix socket.
    ("", None, "unix"),
    ("", "203.0.113.9", "203.0.113.9"),
]


@pytest.mark.parametrize(("peer", "told", "client"), HEARD)
def test_the_address_is_the_nearest_that_is_no_trusted_proxy(peer: str, told: str | None, client: str) -> None:
    environ = {"REMOTE_ADDR": peer} | ({} if told is None else {"HTTP_X_FORWARDED_FOR": told})
    assert client_of(environ, TRUSTED) == client


@pytest.mark.parametrize(("peer", "client"), [("127.0.0.1", "127.0.0.1"), ("", "unix"), ("192.0.2.1", "192.0.2.1")])
def test_where_nobody_is_trusted_only_the_connection_counts(peer: str, client: str) -> None:
    assert client_of({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "203.0.113.9"}, ()) == client


def test_other_headers_are_nobody_s_address() -> None:
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_REAL_IP": "203.0.113.9", "HTTP_FORWARDED": "for=203.0.113.9"}
    assert client_of(environ, TRUSTED) == "127.0.0.1"
