"""Mail servers inside the process and a played day, for `responder demo` and fast tests."""
