"""The HTTP service: routers, one per noun, over the service and the store's queries."""
