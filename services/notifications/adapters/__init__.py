"""The outside: tables, the mail server, templates."""
