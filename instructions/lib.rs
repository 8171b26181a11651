//! Nothing: the benchmarks are what this package is for.
