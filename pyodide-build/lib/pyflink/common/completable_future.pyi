"""What there is to know of a job that was started: its ID, status and result."""

from wasmill.common.job import (
    CompletableFuture as CompletableFuture,
    JobClient as JobClient,
    JobExecutionResult as JobExecutionResult,
    JobID as JobID,
    JobStatus as JobStatus,
)
