"""Functions that the tests of datapipes put into pipes, and how they show what a pipe does."""

import warnings


def odd(x):
    return x % 2


def plus(x):
    return x + 1


def add(a, b):
    return a + b


def even(x):
    return x % 2 == 0


def stem(name):
    return name.split(".")[0]


def streams(torch):
    return torch.utils.data.datapipes.iter


def maps(torch):
    return torch.utils.data.datapipes.map


def outcome(f):
    """What a function gives, or the error that it raises: class and words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return f()
        except BaseException as error:
            return type(error).__name__, str(error)


def shape(graph):
    """A graph of pipes by the names of their classes."""
    return [(type(pipe).__name__, shape(sources)) for pipe, sources in graph.values()]
