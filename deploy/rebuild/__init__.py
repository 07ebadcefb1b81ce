"""`treue rebuild`: folds the retained topics into an empty schema and compares it with the live one, row by row.

command.py   the command
schema.py    the schema to fold into: a name that nobody uses, gone again when the rebuild fails
frozen.py    the live side, as it was at one instant
fold.py      an empty schema, and every topic of the service from its first record up to that instant
folded.py    what must be the same, whenever and in whichever order it was folded
compare.py   whether it is
"""
