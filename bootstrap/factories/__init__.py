"""What the container makes with more than a constructor."""
