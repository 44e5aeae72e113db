"""Everything that a request does to the world, one file per capability."""
