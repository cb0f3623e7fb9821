"""Write the results that the user gets back."""
