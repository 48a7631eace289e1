"""Tickets, testers and deliveries as tables that other programs read."""
