"""Many requests in virtual time, with crews that have hands and hours.

Owns arrivals, crews, the queue of events and the figures that come of them. Everything that happens to a request is
decided by `advance`; here is only decided what people and weather do.
"""
