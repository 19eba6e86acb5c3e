"""The algorithm, in memory: it knows neither disks nor slots."""
