"""How dates and numbers are written, instead of Django's own way for a language."""
