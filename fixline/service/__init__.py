"""The application layer: one use case a module, one transaction each. It knows no HTTP and no Temporal."""
