"""Benchmarks: what a request costs. `python -m bench` (or `make bench`) prints the tables."""
