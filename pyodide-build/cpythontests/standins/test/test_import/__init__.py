"""Stands in for the tests of import, which need a writable file system: others take this decorator from them."""


def no_rerun(reason):
    return lambda function: function
