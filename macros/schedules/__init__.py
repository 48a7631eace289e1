"""Schedules: when they run, what that means in words, and starting what is due."""
