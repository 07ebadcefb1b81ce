"""Ports are chosen once and kept."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.folder import StackFolder
from deploy.local.ports import Ports, free_port


@pytest.fixture
def folder(tmp_path: Path) -> StackFolder:
    return StackFolder(tmp_path)


@contextmanager
def _listening(port: int) -> Iterator[None]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.listen()
        yield


def test_the_preferred_port_is_taken_when_it_is_free(folder: StackFolder) -> None:
    wanted = free_port(())
    ports = Ports(folder, {"gateway": wanted})
    assert ports.renew(["gateway"]) is None
    assert ports["gateway"] == wanted


def test_a_taken_port_is_replaced_and_said(folder: StackFolder) -> None:
    wanted = free_port(())
    with _listening(wanted):
        ports = Ports(folder, {"gateway": wanted})
        remark = ports.renew(["gateway"])
        assert remark is not None
        assert f"gateway {ports['gateway']} (not {wanted})" in remark


def test_a_port_is_remembered_even_when_the_preferred_one_gets_free(folder: StackFolder) -> None:
    wanted = free_port(())
    with _listening(wanted):
        first = Ports(folder, {"gateway": wanted})["gateway"]
    again = Ports(folder, {"gateway": wanted})
    assert again.renew(["gateway"]) is None
    assert again["gateway"] == first


def test_no_two_names_share_a_port(folder: StackFolder) -> None:
    ports = Ports(folder, {"a": 20_001, "b": 20_001})
    assert len({ports[name] for name in ("a", "b", "c")}) == 3
