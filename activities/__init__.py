"""Everything that a request does to the world, by whom it reaches; each activity bears the name of its effect."""
