"""The database behind the application's ports, and the queries of the HTTP side.

Statements are asyncpg's own, on the connection of the transaction: arrays in, one round trip a table. Rows are locked
through `unnest ... LATERAL (... FOR UPDATE)`, which takes them in the order of the arrays and by the primary key,
however small the table was when the statement was planned.
"""
