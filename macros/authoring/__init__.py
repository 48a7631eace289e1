"""How macros are made: from presets, from curl commands, by hand."""
