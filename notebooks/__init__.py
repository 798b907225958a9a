"""Ten workflows and the whole loop as notebooks, and what runs and stores them."""
