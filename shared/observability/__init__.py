"""What a process tells about itself: logs, metrics and traces, under one correlation id."""
