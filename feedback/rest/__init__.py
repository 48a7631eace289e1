"""What every room of the REST API is built with."""
