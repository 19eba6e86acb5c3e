"""The logic of the benchmarks, as far as it needs neither their data nor other libraries."""
