"""Where a request comes from."""

import pytest

from shared.http.client import client_address, remember_client


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("10.0.0.1", ["1.1.1.1"], 0, "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1"], 1, "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1,2.2.2.2"], 2, "1.1.1.1"),
        ("10.0.0.1", ["1.1.1.1"], 2, "10.0.0.1"),
        ("10.0.0.1", [], 1, "10.0.0.1"),
        ("2001:db8:0:1:aaaa::1", [], 0, "2001:db8:0:1::/64"),
        ("::ffff:9.9.9.9", [], 0, "9.9.9.9"),
        ("10.0.0.1", ["no address"], 1, "no address"),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str, forwarded: list[str], proxies: int, address: str) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    remember_client({"client": (peer, 1), "headers": headers})
    assert client_address(proxies) == address
