"""Who does the work: a protocol per job, one adapter a file, a registry, the model store."""
