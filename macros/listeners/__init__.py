"""Calls from outside: who may call, what a call is about, and what is done then."""
