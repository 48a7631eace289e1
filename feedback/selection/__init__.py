"""Conditions that select rows, by one name and meaning in the admin and the API."""
