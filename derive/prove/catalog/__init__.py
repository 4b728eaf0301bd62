"""The catalog of identities: its entries, their verdicts, the pages made of both."""
