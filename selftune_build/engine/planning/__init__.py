"""What has to run, why, and what it will cost: decided once, for a dry run, for `--locked` and for the run itself."""
