"""The store: tables, migrations, writes and queries of requests. It knows no HTTP and no Temporal."""
