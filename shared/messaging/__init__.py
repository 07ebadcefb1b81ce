"""Kafka as this platform uses it: at least once on the wire, effect once in the database.

consumer.py      the loop: which partitions are ours, one batch of one partition at a time, in parallel over partitions
lane.py          one partition: claim it, check that it is the topic we know, bring batch after batch into the database
posting.py       one batch = one transaction: fence, inbox, the service's own handler, outbox, offset
offsets.py       consumer_offset: claim, lock, move; progress.py shows how far it is
inbox.py         who was here already, and with which body
dead_letters.py  what cannot be applied, parked.py what must wait, unparker.py tries it again
outbox.py        what a transaction has to publish, relay.py publishes it, producer.py is the way into Kafka
failures.py      an exception -> try again, or dead letter
"""
