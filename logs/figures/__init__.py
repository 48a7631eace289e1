"""Figures for pages, read from what is kept as things happen and never from the log."""
