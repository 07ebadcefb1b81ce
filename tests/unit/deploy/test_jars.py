"""What is fetched is what was locked."""

import hashlib
import io
from contextlib import AbstractContextManager
from pathlib import Path
from unittest.mock import patch

import pytest
from rich.console import Console

from deploy.local import jars
from deploy.local.jars import Jar, kafka_jars, locked_jars
from deploy.problems import OperatorError


def test_the_lock_pins_every_jar_by_digest_and_size() -> None:
    locked = locked_jars()
    assert len(locked) == 46
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in locked)
    assert len({jar.file_name for jar in locked}) == len(locked)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TREUE_CACHE", str(tmp_path))
    return tmp_path / "kafka"


def _quiet() -> Console:
    return Console(file=io.StringIO())


def _serving(content: bytes) -> AbstractContextManager[object]:
    def download(jar: Jar, scratch: Path) -> Path:
        file = scratch / jar.file_name
        file.write_bytes(content)
        return file

    return patch.object(jars, "_download", download)


def _locked(content: bytes) -> AbstractContextManager[object]:
    jar = Jar("group", "artifact", "1", hashlib.sha256(content).hexdigest(), len(content))
    return patch.object(jars, "locked_jars", lambda: [jar])


def test_a_jar_is_fetched_once(cache: Path) -> None:
    with _locked(b"good"):
        with _serving(b"good"):
            assert kafka_jars(_quiet()) == cache
        with patch.object(jars, "_download", side_effect=AssertionError("fetched again")):
            kafka_jars(_quiet())
    assert (cache / "artifact-1.jar").read_bytes() == b"good"


def test_a_jar_with_another_digest_is_named_and_not_kept(cache: Path) -> None:
    with _locked(b"good"), _serving(b"evil"), pytest.raises(OperatorError) as refused:
        kafka_jars(_quiet())
    assert "artifact-1.jar" in refused.value.what
    assert not list(cache.glob("**/*.jar"))


def test_a_download_that_fails_says_which_and_what_to_set(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREUE_MAVEN_REPOSITORY", "http://127.0.0.1:1/maven")
    with _locked(b"good"), pytest.raises(OperatorError) as failed:
        kafka_jars(_quiet())
    assert "artifact-1.jar" in failed.value.what
    assert "TREUE_MAVEN_REPOSITORY" in failed.value.next_step
    assert "KAFKA_BOOTSTRAP" in failed.value.next_step
