"""The problems of `public`: suites that others publish and know, as tasks."""
