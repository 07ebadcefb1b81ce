"""The database as every service uses it: an engine, a transaction, migrations, and the tables of the mechanism."""
