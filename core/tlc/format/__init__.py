"""The form on disk: manifests, Parquet files, layers, names and publishing. `docs/format.md` tells it."""
