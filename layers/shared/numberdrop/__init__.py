"""numberdrop: drop a file of phone numbers into S3, get every number's verdict back."""
