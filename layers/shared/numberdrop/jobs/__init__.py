"""Pure rules about jobs: what is known of one, and what may happen to it. Imports no other room."""
