"""The durable workflow of a request: what runs inside Temporal's sandbox. Imports temporalio and the messages only."""
