"""Load over HTTP by wrk, on the core that the server does not have."""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import LOAD_CORE

_CONNECTIONS = 32
_PERCENTILES = {"p50_ms": "50%", "p99_ms": "99%"}
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
# A request is one of `bodies` or `paths` in turn; @mark@ becomes a number of its own, so that no order comes twice.
_POST = """
local file = io.open("{file}", "rb")
local template = file:read("*a")
file:close()
local headers = {{["authorization"] = "Bearer {token}", ["content-type"] = "application/json"}}
local count = 0
function request()
  count = count + 1
  local mark = string.format("{prefix}-%d", count)
  local body = string.gsub(template, "@mark@", mark)
  body = string.gsub(body, "customer%-0000000", string.format("customer-%07d", count * 7919 % 10000))
  return wrk.format("POST", "{path}", headers, body)
end
"""
_GET = """
local tokens, paths = {{}}, {{}}
for line in io.lines("{file}") do
  local path, token = string.match(line, "(%S+) (%S+)")
  paths[#paths + 1] = path
  tokens[#tokens + 1] = token
end
local count = 0
function request()
  count = count % #paths + 1
  return wrk.format("GET", paths[count], {{["authorization"] = "Bearer " .. tokens[count]}})
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw."""

    requests: int
    seconds: float
    latency_ms: dict[str, float]

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def available() -> bool:
    return shutil.which("wrk") is not None


def post(
    url: str, path: str, template: bytes, token: str, seconds: float, prefix: str, *,
    connections: int = _CONNECTIONS, cores: list[int] | None = None,
) -> Load:  # fmt: skip
    """POST the template for so long, each time under another mark."""
    with tempfile.TemporaryDirectory() as folder:
        file, script = Path(folder, "body"), Path(folder, "post.lua")
        file.write_bytes(template)
        script.write_text(_POST.format(file=file, token=token, path=path, prefix=prefix))
        return _wrk(url, script, seconds, connections, cores)


def get(url: str, wanted: list[tuple[str, str]], seconds: float, connections: int = _CONNECTIONS) -> Load:
    """GET paths, each with its token, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        file, script = Path(folder, "wanted"), Path(folder, "get.lua")
        file.write_text("".join(f"{path} {token}\n" for path, token in wanted))
        script.write_text(_GET.format(file=file))
        return _wrk(url, script, seconds, connections, None)


def _wrk(url: str, script: Path, seconds: float, connections: int, cores: list[int] | None) -> Load:
    command = [
        "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "--timeout", "20s", "-s",
        str(script), url,
    ]  # fmt: skip
    allowed = cores or LOAD_CORE
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, preexec_fn=lambda: os.sched_setaffinity(0, allowed)
    )
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", done.stdout)
    if failed:
        raise RuntimeError(f"requests failed: {failed[0]}")
    counted = re.search(r"(\d+) requests in ([\d.]+)(\w+)", done.stdout)
    if counted is None:
        raise RuntimeError(f"wrk said {done.stdout!r}")
    return Load(int(counted[1]), float(counted[2]) * _UNITS[counted[3]] / 1e3, _latencies(done.stdout))


def _latencies(output: str) -> dict[str, float]:
    found = {}
    for name, label in _PERCENTILES.items():
        match = re.search(rf"{label}\s+([\d.]+)(us|ms|s|m)", output)
        if match:
            found[name] = float(match[1]) * _UNITS[match[2]]
    return found
