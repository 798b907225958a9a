"""The form on disk: manifests, Parquet files, layers, names, publishing; see `docs/format.md`."""
