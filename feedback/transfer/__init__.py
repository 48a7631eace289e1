"""Tickets as tables: from files of others, and out as files for spreadsheets."""
