"""Requests that belong together: duplicates with their original, follow-ons with their parent."""
