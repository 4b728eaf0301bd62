"""How many digits a formula loses over a domain, and where: naive and stabilised, beside exact values."""
