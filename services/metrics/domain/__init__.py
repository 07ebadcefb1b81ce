"""What is counted and when: orders, days, customers, answers. Pure."""
