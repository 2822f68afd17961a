"""SQL steps of the schema, one file a version, run in order by `store/database.py`."""
