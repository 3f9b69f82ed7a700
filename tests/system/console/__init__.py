"""The console in a browser, on the real service with the real engine and LocalStack."""
