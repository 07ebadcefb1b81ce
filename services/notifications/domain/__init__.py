"""Which message an event gives, whether it may be sent, and what follows from the mail server's answer. Pure."""
