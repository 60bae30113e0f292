"""`selftune.lock`: its one rendering, how it is read back, and how far it can be believed."""
