"""Nobody compiles our code at a process's start."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from deploy.local import bytecode


def test_what_has_changed_is_compiled_though_python_is_told_to_write_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytecode, "PROJECT", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    good, broken = tmp_path / "shared" / "good.py", tmp_path / "services" / "broken.py"
    for file, text in ((good, "x = 1\n"), (broken, "x = (\n")):
        file.parent.mkdir()
        file.write_text(text)
    bytecode.compile_code()
    compiled = Path(importlib.util.cache_from_source(str(good)))
    before = compiled.read_bytes()
    good.write_text("x = 1234567\n")
    os.utime(good, (1, 1))  # a source's time is kept in whole seconds, and this test is quicker
    bytecode.compile_code()
    assert compiled.read_bytes() != before
    assert not Path(importlib.util.cache_from_source(str(broken))).exists()
