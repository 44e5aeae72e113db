"""What goes in and out over HTTP: bodies, queries and answers as models of their own, never table rows."""
