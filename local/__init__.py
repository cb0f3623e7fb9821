"""The local cloud and the vendor simulator: numberdrop on one machine, without an account."""
