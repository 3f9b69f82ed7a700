"""What every command runs on: settings, failures, parameters, signals and stdout."""
