"""The smallest IAM policy for each role."""
