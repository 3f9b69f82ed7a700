"""Amazon Transcribe: whole recordings as paid jobs, with sound and output in a bucket of our own."""
