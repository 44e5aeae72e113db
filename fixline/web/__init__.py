"""The HTTP service: routers, one per noun, over the service and the store's queries.

Must not import settings, the Temporal client, workflows or activities; the composition root hands everything in.
"""
