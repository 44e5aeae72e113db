"""The commands, one module each: their arguments, and what they print. Heavy parts are imported when a command runs."""
