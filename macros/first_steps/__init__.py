"""The led way from an empty installation to the first delivered message.

What is done is read from the database, whoever did it and on whichever page.
"""
