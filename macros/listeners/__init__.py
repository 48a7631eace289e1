"""Listeners: calls of other systems, taken, stored, and worked on.

`door` takes a call and stores it, before anything else is done about it; `work` makes
outcomes of it, in a worker.
"""
