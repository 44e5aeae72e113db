"""Deadlines: working calendars, clocks, ladders, and what time does to a request."""
