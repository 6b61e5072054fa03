"""The layouts of the store, each made from the one before; see `mesogun.records.upgrade`."""
