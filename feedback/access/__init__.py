"""Who may see and do what, and how callers prove who they are."""
