"""From a verified package to what others install: an archive, a statement about it, a place where hosts look."""
