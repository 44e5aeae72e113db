"""One module per revision. A released revision is never changed; the next one mends it."""
