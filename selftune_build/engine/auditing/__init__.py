"""`selftune audit`: locks held against fresh samples."""
