"""The changes, in order of the number that each file's name begins with."""
