"""The store: page index, records, versions, change log, runs, problems, watches and deliveries."""
