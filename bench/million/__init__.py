"""Lists, totals, searches and reports over a million requests, beside the same over ten thousand."""
