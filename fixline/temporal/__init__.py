"""Temporal: the client, how messages travel, search attributes, and the signals that tell workflows."""
