"""From a source of data to columns: one module per kind of source. No table is known here."""
