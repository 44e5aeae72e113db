"""The definition of a request type, as every other part reads it."""
