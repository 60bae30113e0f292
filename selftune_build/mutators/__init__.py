"""What proposes edits of a package: the protocol, the two that are built in, and candidates, the form in which edits are kept."""
