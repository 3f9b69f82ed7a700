"""Large transcripts and archived dead letters in S3."""
