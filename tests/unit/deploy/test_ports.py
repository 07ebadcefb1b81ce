"""Ports are chosen once and kept."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import pytest

from deploy.local.claims import Claims
from deploy.local.folder import PROJECT, StackFolder
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


def test_two_stacks_that_choose_before_either_listens_choose_differently(tmp_path: Path) -> None:
    wanted = {"gateway": free_port(())}
    folders = [StackFolder(tmp_path / name) for name in ("one", "two")]
    for each in folders:
        each.create()
    first, second = (Ports(each, wanted) for each in folders)
    assert first.renew(["gateway"]) is None
    assert second.renew(["gateway"]) is not None
    assert first["gateway"] == wanted["gateway"] != second["gateway"]


def test_two_stacks_that_remember_the_same_port_do_not_both_start_with_it(tmp_path: Path) -> None:
    port = free_port(())
    folders = [StackFolder(tmp_path / name) for name in ("one", "two")]
    for each in folders:
        each.create()
        each.write("ports.json", {"gateway": port})
    first, second = (Ports(each, {}) for each in folders)
    assert first.renew(["gateway"]) is None
    assert second.renew(["gateway"]) is not None
    assert first["gateway"] == port != second["gateway"]


def test_a_claim_is_no_hindrance_to_the_same_stack_and_ends_with_its_process(folder: StackFolder) -> None:
    port = free_port(())
    claims = f"""
import pathlib
from deploy.local.claims import Claims
from deploy.local.claims import Claims
from deploy.local.folder import PROJECT, StackFolder
print(Claims(StackFolder(pathlib.Path({str(folder.path)!r}))).claim({port}), flush=True)
input()
"""
    holder = subprocess.Popen([sys.executable, "-c", claims], stdin=PIPE, stdout=PIPE, text=True, cwd=PROJECT)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert Claims(folder).claim(port)
        assert not Claims(StackFolder(folder.path / "another")).claim(port)
        holder.kill()
    assert Claims(StackFolder(folder.path / "another")).claim(port)
