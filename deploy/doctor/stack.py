"""What runs of the stack, and whether it answers."""

import asyncio

from deploy.doctor.finding import Finding
from deploy.local.readiness import addresses_by_process, readiness
from deploy.local.stack import LocalStack
from deploy.local.supervisor import ProcessState

_READY_WITHIN_S = 2.0
_SECRETS = ("signing_key", "public_key", "key_pepper", "admin_key")


def processes(found: list[ProcessState]) -> Finding:
    """Whether each is up."""
    wrong = [process for process in found if process.state != "RUNNING"]
    if not found:
        return Finding("processes", "warn", "none runs", "make up")
    if wrong:
        told = "; ".join(f"{process.name} is {process.state} {process.note}".strip() for process in wrong)
        return Finding("processes", "fail", told, f"treue logs {wrong[0].name}, then treue restart {wrong[0].name}")
    return Finding("processes", "ok", f"{len(found)} running")


def ready(stack: LocalStack, running: list[ProcessState]) -> Finding:
    """Whether the services' processes say that they are ready."""
    names = {process.name for process in running if process.state == "RUNNING"}
    urls = {name: url for name, url in addresses_by_process(stack.addresses).items() if name in names}
    if not urls:
        return Finding("ready", "unknown", "no service runs here", "make up")
    problems = {name: problem for name, problem in readiness(urls, _READY_WITHIN_S).items() if problem}
    if problems:
        told = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        return Finding("ready", "fail", told, f"treue logs {next(iter(problems))}")
    return Finding("ready", "ok", f"{len(urls)} processes")


def secrets(stack: LocalStack) -> Finding:
    """Whether the folder has all that signs and seals."""
    missing = [name for name in _SECRETS if not getattr(stack.credentials, name)]
    if missing:
        step = f"Restore secrets.json in {stack.folder.path} from a backup: without it no key and no token is valid."
        return Finding("secrets", "fail", f"missing: {', '.join(missing)}", step)
    return Finding("secrets", "ok", "all there")


async def mail(stack: LocalStack) -> Finding:
    """Whether the mail server greets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.port("mail"))
    try:
        greeting = (await reader.readline()).decode(errors="replace").strip()
    finally:
        writer.close()
    if greeting.startswith("220"):
        return Finding("mail server", "ok", greeting)
    return Finding("mail server", "fail", f"it says {greeting!r}", "treue logs mail")
