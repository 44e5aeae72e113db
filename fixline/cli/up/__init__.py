"""Everything in one: `fixline up` and the processes it keeps."""
