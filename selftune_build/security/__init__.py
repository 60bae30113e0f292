"""What in the files of a package could harm whoever follows it: rules that look at bytes, and executes and asks nobody."""
