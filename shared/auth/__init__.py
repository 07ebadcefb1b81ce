"""Who is calling, and what they may do. Credentials become a Principal at the edge; nothing behind looks at them."""
