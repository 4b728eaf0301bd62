"""What a case is compared with: one file for each library, each with a `PEER`."""
