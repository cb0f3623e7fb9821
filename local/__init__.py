"""The local cloud and the vendor simulator: numberdrop on one machine, no account needed."""
