"""A city's service requests, from the first report to the verified fix."""

__version__ = "0.1.0"
