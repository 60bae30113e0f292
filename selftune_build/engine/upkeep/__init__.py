"""What a store holds and who needs it: for `store gc` and `store fsck`."""
