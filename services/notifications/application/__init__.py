"""What happens on an event, and how what is due goes out. Decisions are the domain's, the outside is behind ports."""
