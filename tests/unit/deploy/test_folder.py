"""A stack's folder may lie anywhere."""

import os
from pathlib import Path

import pytest

from deploy.local.folder import PROJECT, StackFolder
from deploy.problems import OperatorError


def test_the_socket_lies_in_the_folder_or_where_its_path_is_short_enough(tmp_path: Path) -> None:
    deep = StackFolder(tmp_path.joinpath(*["very-deep-folder"] * 8))
    assert StackFolder(Path("/srv/treue")).socket == Path("/srv/treue/supervisor.sock")
    assert len(os.fsencode(deep.socket)) < 100
    assert deep.socket != StackFolder(deep.path / "other").socket


def test_a_folder_that_the_supervisor_cannot_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="TREUE_HOME"):
        StackFolder(tmp_path / "100%").create()


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path)
    folder.write("secrets.json", {"a": 1})
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert folder.read("secrets.json") == {"a": 1}
    assert folder.read("missing.json") is None


def test_the_folder_is_the_projects_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TREUE_HOME", raising=False)
    assert StackFolder.chosen().path == PROJECT / ".treue"
    monkeypatch.setenv("TREUE_HOME", str(tmp_path))
    assert StackFolder.chosen().path == tmp_path
