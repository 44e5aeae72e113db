"""Whatever leaves the city's machines: one guarded way out."""
