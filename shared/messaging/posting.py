"""One batch of one partition = one transaction:

    lock the offset row (fence) -> who is in the inbox already -> which keys are blocked -> the service's own effects
    -> inbox, conflicts, dead letters, parked events, outbox -> move the offset -> commit

The order of locks is the same for every writer of a service: offset row, then accounts sorted, then inbox, then outbox.
A handler answers "waiting" for an event whose surroundings are not known yet; it must then have had no effect.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import Transaction, transaction
from shared.messaging import dead_letters, failpoints, inbox, offsets, outbox, parked
from shared.messaging.incoming import Application, Effects, Foreign, Incoming, Item, Unreadable
from shared.messaging.offsets import Claim, Passed
from shared.messaging.tally import Tally


class Posting:
    """Brings batches of one service's topics into its database."""

    def __init__(self, engine: AsyncEngine, application: Application, *, service: str) -> None:
        self._engine, self._application, self._service = engine, application, service

    async def post(self, claim: Claim, position: int, items: Sequence[Item]) -> Tally:
        """Have the effects of these items, which start at `position`, and move the partition behind the last.

        Raises what the database or the handler raises, FencedError, AlreadyAppliedError; nothing is done then.
        """
        raw = items[-1].raw
        last, fingerprint = raw.offset, raw.fingerprint
        tally = Tally(self._service, items[0].raw.topic, len(items))
        async with transaction(self._engine) as tx:
            await offsets.lock(tx, claim, position, last, fingerprint)
            failpoints.reach("post_after_lock")
            passed = await self._effects(tx, position, items, tally)
            await offsets.move(tx, claim, last + 1, fingerprint, raw.timestamp, passed)
            failpoints.reach("post_before_commit")
        failpoints.reach("post_after_commit")
        tally.count()
        return tally

    async def bury(self, claim: Claim, position: int, event: Incoming, error: BaseException) -> None:
        """Make a dead letter of this one event and move the partition behind it."""
        raw, fingerprint = event.raw, event.raw.fingerprint
        async with transaction(self._engine) as tx:
            await offsets.lock(tx, claim, position, raw.offset, fingerprint)
            told = await dead_letters.bury(tx, event, error, blocks=self._application.blocks(event.event))
            await outbox.append(tx, [told])
            passed = Passed(gaps=raw.offset - position, dead=True)
            await offsets.move(tx, claim, raw.offset + 1, fingerprint, raw.timestamp, passed)
        Tally(self._service, raw.topic, 1, dead=1).count()

    async def _effects(self, tx: Transaction, position: int, items: Sequence[Item], tally: Tally) -> Passed:
        events = [item for item in items if isinstance(item, Incoming)]
        found = await dead_letters.in_the_way(tx, items[0].raw, items[-1].raw, (event.key for event in events))
        # Letters that are read again, because a position was lost: what was decided about them stands.
        events = [event for event in events if event.raw.offset not in found.letters]
        unreadable = [item for item in items if isinstance(item, Unreadable) and item.raw.offset not in found.letters]
        foreign = sum(isinstance(item, Foreign) for item in items)
        seen = await inbox.sort(tx, events)
        failpoints.reach("post_after_inbox")
        effects = await self._apply(tx, seen.fresh, found.blocked, tally)
        failpoints.reach("post_after_effects")
        told = await dead_letters.bury_unreadable(tx, unreadable)
        await inbox.record_conflicts(tx, seen.conflicts)
        await outbox.append(tx, [*effects.outgoing, *told])
        tally.duplicates, tally.conflicts = len(seen.duplicates), len(seen.conflicts)
        tally.dead, tally.ignored = len(unreadable), foreign
        gaps = items[-1].raw.offset + 1 - position - len(items)
        return Passed(tally.duplicates, tally.conflicts, foreign, gaps, applied=tally.worked)

    async def _apply(self, tx: Transaction, fresh: list[Incoming], blocked: set[str], tally: Tally) -> Effects:
        """Apply what may be applied now, park the rest, and remember all of it."""
        if not fresh:
            return Effects()
        free = [event for event in fresh if event.key not in blocked]
        effects = await self._application.apply(tx, free) if free else Effects()
        waiting = [event for event in free if effects.of(event.id).status == "waiting"]
        await parked.park(tx, [event for event in fresh if event.key in blocked], parked.BLOCKED)
        for event in waiting:
            await parked.park(tx, [event], effects.of(event.id).reason or "waiting")
        applied = [event for event in free if effects.of(event.id).status != "waiting"]
        await inbox.record(tx, applied, effects)
        tally.posted(tx.now, applied, effects, parked=len(fresh) - len(applied))
        return effects
