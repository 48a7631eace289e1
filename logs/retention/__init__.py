"""How long the log is kept: what goes when, and how it goes."""
