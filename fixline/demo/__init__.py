"""Demonstration data: a plausible city day, and crews that work through the real HTTP API."""
