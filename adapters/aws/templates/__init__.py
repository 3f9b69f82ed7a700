"""The route as a template for CloudFormation and Terraform."""
