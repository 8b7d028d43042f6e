"""logging, led to the job's log."""

import logging

import _wasmill


class Handler(logging.Handler):
    """Writes to the job's log, whose lines have a level of their own."""

    def emit(self, record):
        try:
            _wasmill.log(max(-4, min(8, (record.levelno - 20) // 10 * 4)), self.format(record))
        except Exception:
            self.handleError(record)


_basic_config = logging.basicConfig


def _configure(**kwargs):
    """logging.basicConfig, but for where the lines go when nobody says where."""
    if not kwargs.keys() & {"filename", "stream", "handlers"}:
        kwargs["handlers"] = [Handler()]
        kwargs.setdefault("format", "%(name)s: %(message)s")
    _basic_config(**kwargs)


def start():
    """Makes warnings and errors of loggers go to the job's log, and basicConfig(level=...) more than these."""
    last = Handler(logging.WARNING)
    last.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    logging.lastResort = last
    logging.basicConfig = _configure
    logging.raiseExceptions = True
