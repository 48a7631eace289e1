"""Conditions that select tickets and testers: the same in the admin and the API."""
