"""Definitions tried out in virtual time: scenarios, their coverage, and simulations of many requests.

Owns what plays a definition without a store, a server or a clock: everything is decided by the same `advance`. Must
not import the store, the web, delivery, workflows or activities.
"""
