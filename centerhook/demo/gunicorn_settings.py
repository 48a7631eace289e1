"""One process with threads: enough for the people at one machine."""

wsgi_app = "centerhook.wsgi"
workers = 1
worker_class = "gthread"
threads = 8
graceful_timeout = 3
loglevel = "warning"
# As in deploy/gunicorn.py, so that nothing is refused there that is taken here, and no
# program writes into a connection that was closed at that moment.
keepalive = 75
limit_request_line = 8190
control_socket_disable = True
