"""`make screens`: a picture of every page type, at two widths, light and dark."""
