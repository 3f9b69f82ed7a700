"""Runtime of all commands: settings, failures, parameters, signals and stdout."""
