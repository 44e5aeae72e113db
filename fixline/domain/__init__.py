"""The pure rules of a service request: no I/O, no clock of its own, no Temporal."""
