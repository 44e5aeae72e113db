"""Conditions on answers, in CEL: their types, and whether they hold."""
