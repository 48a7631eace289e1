"""How the service is, for programs that watch it: docs/metrics.md."""
