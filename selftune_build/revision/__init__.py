"""Git objects of a checkout that nobody vouches for: read with a library, bounded, and git is never run."""
