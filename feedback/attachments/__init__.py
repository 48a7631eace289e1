"""Files on tickets: checked, stored, given out and taken away again."""
