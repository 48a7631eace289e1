"""The web server, behind a proxy that buffers: gunicorn -c deploy/gunicorn.py

A request keeps a thread from its first byte to its last. The proxy takes requests in
whole before it passes them on (deploy/nginx.conf), so that no slow client holds one.
"""

wsgi_app = "centerhook.wsgi"
bind = "127.0.0.1:8000"  # No stranger reaches it but through the proxy.
worker_class = "gthread"
workers = 2
threads = 8
# A worker that is stuck for so long, in seconds, is replaced.
timeout = 60
graceful_timeout = 30
# Longer than the proxy keeps an idle connection, so that it never writes into a closed
# one.
keepalive = 75
# Bytes: as much as it can be bounded to, and about what the proxy takes.
limit_request_line = 8190
control_socket_disable = True
