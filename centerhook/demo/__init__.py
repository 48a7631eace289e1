"""`manage.py demo`: believable data, every process, and the main job done once."""
