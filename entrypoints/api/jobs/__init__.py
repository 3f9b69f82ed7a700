"""Jobs over HTTP: submissions, snapshots, events and lists."""
