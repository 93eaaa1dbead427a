"""People who use the web admin: who they are, what they may do, and what they did."""
