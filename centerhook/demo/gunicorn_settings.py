"""One process with threads: enough for the people at one machine."""

wsgi_app = "centerhook.wsgi"
workers = 1
worker_class = "gthread"
threads = 8
graceful_timeout = 3
loglevel = "warning"
control_socket_disable = True
