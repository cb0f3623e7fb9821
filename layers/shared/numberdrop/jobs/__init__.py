"""Pure rules about jobs: checkers, states, reasons and events. Imports no other room."""
