"""What makes, checks and keeps the book. Each room is a package; no reader needs one, and the readers' wheel holds none."""
