"""numberdrop: drop a file of phone numbers into S3, get a verdict for every number back."""
