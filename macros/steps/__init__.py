"""The steps of a macro: compiled once, previewed, and done for each subject."""
