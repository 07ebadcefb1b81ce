"""Reading a topic's partitions abreast: what is said of one order, or under one event id, is met in the order of time.

An order may be spoken of in two partitions, for not everybody names the customer. Where only one of two such events can
have its effect, a live service took the one that it saw first; a fold that read one partition after the other would
take either.
"""

from collections.abc import AsyncGenerator, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate

from shared.messaging.incoming import Incoming, Item

Chunks = AsyncGenerator[Sequence[Item]]
Step = dict[int, list[Item]]
_Timed = list[tuple[datetime, Item]]


async def abreast(partitions: Mapping[int, Chunks]) -> AsyncGenerator[Step]:
    """By partition what can be worked side by side, step by step: of two items that are about the same thing and lie on
    two partitions, the earlier is in an earlier step. Of each partition at most one chunk is held."""
    ahead: dict[int, _Timed] = {}
    reading = dict(partitions)
    while True:
        for part in reading.keys() - ahead.keys():
            chunk = await anext(reading[part], None)
            if chunk is None:
                del reading[part]
            else:
                ahead[part] = _timed(chunk)
        if not ahead:
            return
        until = min(items[-1][0] for items in ahead.values())
        window = {part: [each for each in items if each[0] <= until] for part, items in ahead.items()}
        ahead = {part: rest for part, items in ahead.items() if (rest := items[len(window[part]) :])}
        for step in _steps(window):
            yield step


def _timed(chunk: Sequence[Item]) -> _Timed:
    """Each item with its time, or with that of an earlier one that claims to be later: clocks differ, and a partition
    is never read out of its order."""
    return list(zip(accumulate((item.raw.timestamp for item in chunk), max), chunk, strict=True))


def _steps(window: Mapping[int, _Timed]) -> Iterator[Step]:
    """Cut before an item about what another partition has spoken of since the last cut."""
    step: Step = {}
    spoken_of: dict[Hashable, int] = {}
    in_time = sorted((time, part, item.raw.offset, item) for part, items in window.items() for time, item in items)
    for _, part, _, item in in_time:
        subjects = _subjects(item)
        if any(spoken_of.get(subject, part) != part for subject in subjects):
            yield step
            step, spoken_of = {}, {}
        spoken_of.update(dict.fromkeys(subjects, part))
        step.setdefault(part, []).append(item)
    if step:
        yield step


def _subjects(item: Item) -> Iterable[Hashable]:
    if not isinstance(item, Incoming):
        return ()
    order_id = getattr(item.event, "order_id", None)
    event = (item.tenant, item.id)
    return (event,) if order_id is None else (event, (item.tenant, order_id))
