"""Writers that take rows as they come."""

from tlc.writers.metrics_table_writer import MetricsTableWriter
from tlc.writers.table_writer import TableWriter

__all__ = ["MetricsTableWriter", "TableWriter"]
