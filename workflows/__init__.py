"""The durable shell: what runs inside Temporal's sandbox. Imports temporalio and the messages only."""
