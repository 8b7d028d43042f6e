"""What there is to know of a job that was started: its ID, status and result."""

import uuid
from enum import Enum

__all__ = ["CompletableFuture", "JobClient", "JobExecutionResult", "JobID", "JobStatus"]


class JobID:
    """A job's number."""

    def __init__(self, text=None):
        self._text = text or uuid.uuid4().hex

    def __str__(self):
        return self._text

    def __eq__(self, other):
        return isinstance(other, JobID) and self._text == other._text

    def __hash__(self):
        return hash(self._text)


class JobStatus(Enum):
    """What a job is doing."""

    INITIALIZING = 0
    CREATED = 1
    RUNNING = 2
    FAILING = 3
    FAILED = 4
    CANCELLING = 5
    CANCELED = 6
    FINISHED = 7
    RESTARTING = 8
    SUSPENDED = 9
    RECONCILING = 10

    def is_globally_terminal_state(self):
        """Tells whether the job has ended for good."""
        return self in (JobStatus.FAILED, JobStatus.CANCELED, JobStatus.FINISHED)

    def is_terminal_state(self):
        """Tells whether the job has ended or is suspended."""
        return self.is_globally_terminal_state() or self is JobStatus.SUSPENDED


class JobExecutionResult:
    """How a job ended."""

    def __init__(self, job_id, runtime_millis, finished=True):
        self._job_id, self._runtime, self._finished = job_id, runtime_millis, finished

    def get_job_id(self):
        """Returns the job's ID."""
        return self._job_id

    def get_net_runtime(self):
        """Returns how long the job ran, in milliseconds."""
        return self._runtime

    def is_job_execution_result(self):
        """Tells whether the job has ended."""
        return self._finished

    def get_accumulator_result(self, accumulator_name):
        """Returns None: there are no accumulators; count with the metrics of RuntimeContext.get_metrics_group()."""
        return None

    def get_all_accumulator_results(self):
        """Returns no results: there are no accumulators."""
        return {}

    def __str__(self):
        return "Program execution finished\nJob with JobID %s has finished.\nJob Runtime: %d ms" % (self._job_id, self._runtime)


class CompletableFuture:
    """A value that comes, as ``result()``."""

    def __init__(self, wait, is_there=None):
        self._wait, self._is_there = wait, is_there
        self._value, self._error, self._done = None, None, False

    def _settle(self):
        if not self._done:
            try:
                self._value = self._wait()
            except Exception as e:  # kept for result()
                self._error = e
            self._done = True

    def result(self):
        """Waits for the value, and returns it."""
        self._settle()
        if self._error is not None:
            raise self._error
        return self._value

    def exception(self):
        """Waits, and returns the exception or None."""
        self._settle()
        return self._error

    def done(self):
        """Tells whether the value is there."""
        return self._done or self._is_there is not None and self._is_there()

    def cancelled(self):
        """Tells whether it was cancelled: no."""
        return False

    def cancel(self):
        """Cancels nothing."""
        return False


class JobClient:
    """A job that was started with ``execute_async``."""

    def __init__(self, job_id, wait, status, cancel):
        self._job_id, self._wait, self._status, self._cancel = job_id, wait, status, cancel

    def get_job_id(self):
        """Returns the job's ID."""
        return self._job_id

    def get_job_status(self):
        """Returns a future of the status."""
        return CompletableFuture(self._status, lambda: True)

    def get_job_execution_result(self):
        """Returns a future of the JobExecutionResult."""
        return CompletableFuture(self._wait, lambda: self._status().is_terminal_state())

    def cancel(self):
        """Ends the job in the middle, and returns a future of None. A job that has ended stays as it is."""
        self._cancel()
        return CompletableFuture(lambda: None, lambda: True)

    def get_accumulators(self):
        """Returns a future of the accumulators: none, there are metrics."""
        return CompletableFuture(dict)

    def trigger_savepoint(self, savepoint_directory=None):
        """Refuses: there are no savepoints; the last commit is in the store."""
        raise RuntimeError("there are no savepoints: a job commits its state to its store, and starts again from there")

    def stop_with_savepoint(self, advance_to_end_of_event_time, savepoint_directory=None):
        """Refuses: there are no savepoints; the last commit is in the store."""
        self.trigger_savepoint(savepoint_directory)
