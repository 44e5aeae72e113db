"""The commands: their arguments, their work and what they print. What each says in its help: `fixline.cli.app`."""
