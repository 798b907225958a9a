"""What differs between two tables; see `tlc.table.diffing.result`."""
