"""Writing what the user gets back."""
