"""Files and streams into Arrow, and Parquet segments."""
