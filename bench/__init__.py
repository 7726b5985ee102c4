"""Benchmarks: each figure stands beside that of a peer, or beside a limit, measured in the same run.

    make bench                             all of them
    make bench ARGS="sandbox"              one subject
    make bench ARGS="--seconds 3"          shorter, and less exact
    make bench ARGS="--strict"             a missed aim ends with 1

A subject is a module of this package with a function `measure(seconds) -> Iterator[Row]`; docs/benchmarks.md explains.
"""
