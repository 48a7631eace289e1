"""What other programs bring: tickets through external sources, and testers."""
