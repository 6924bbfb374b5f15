"""The drawing page: its test drawings, its networks and its data."""
