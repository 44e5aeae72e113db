"""What is shown of requests, the same over HTTP and on the command line."""
