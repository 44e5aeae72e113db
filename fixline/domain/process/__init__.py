"""The request state machine: commands, what each leads to, and the decision that comes of it."""
