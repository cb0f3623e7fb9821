"""Speed and cost of numberdrop compared with the alternatives."""
