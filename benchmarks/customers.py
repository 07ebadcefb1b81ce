"""The customers of the platform that is measured, with a profile and without an address: who has no profile is waited
for, and the end of ten minutes' waiting for a million of them is no part of what is measured."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from benchmarks.machine import Machine
from benchmarks.shop import CUSTOMERS, customer
from deploy.chaos.load import Till
from deploy.description import Description

_AT_ONCE = 8


def introduce(machine: Machine) -> None:
    """Raises RuntimeError when the gateway does not take one."""
    description = machine.description
    assert description is not None
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda first: _introduce(description, range(first, CUSTOMERS, _AT_ONCE)), range(_AT_ONCE)))


def _introduce(description: Description, numbers: range) -> None:
    with closing(Till(description.base_url, description.api_key, random.Random(0))) as till:
        for number in numbers:
            status, answer = till.once("PUT", f"/v1/customers/{customer(number)}", {"locale": "de-DE"})
            if status != 202:
                raise RuntimeError(f"the profile of customer {number} was answered by {status}: {answer}")
