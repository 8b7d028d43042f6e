package python

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
)

// jobAsk is the part of what a script hands over that says what is to be done with it: a plan runs until its end, or with async beside the script;
// without a plan it asks about a job that it has begun.
type jobAsk struct {
	Async bool   `json:"async"`
	Ask   string `json:"ask"` // status, wait or cancel; link is about files
	Job   int    `json:"job"`
	Name  string `json:"name"` // link: of the folder as guests see it, beside the script
	Path  string `json:"path"` // link: of the folder in that for what is temporary
}

// scriptJobs are the jobs that a script has begun and runs beside.
type scriptJobs struct {
	ctx     context.Context // of the script's whole run
	execute func(ctx context.Context, plan []byte, tasks udf.Bundle) ([]byte, error)

	mu   sync.Mutex
	jobs []*scriptJob // guarded by mu
}

type scriptJob struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the job has ended; then what follows is set
	answer []byte
	err    error

	heard     bool // somebody has asked how it ended; guarded by scriptJobs.mu
	cancelled bool // guarded by scriptJobs.mu
}

// start begins a job, and answers with its number. The tasks are closed with it.
func (s *scriptJobs) start(plan []byte, tasks udf.Bundle) ([]byte, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	j := &scriptJob{cancel: cancel, done: make(chan struct{})}
	s.mu.Lock()
	number := len(s.jobs)
	s.jobs = append(s.jobs, j)
	s.mu.Unlock()
	go func() {
		defer close(j.done)
		defer cancel()
		j.answer, j.err = s.execute(ctx, plan, tasks)
		if err := tasks.Close(context.WithoutCancel(ctx)); j.err == nil {
			j.err = err
		}
	}()
	return fmt.Appendf(nil, `{"job": %d}`, number), nil
}

// answer answers what a script asks about a job.
func (s *scriptJobs) answer(ctx context.Context, ask jobAsk) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ask.Job < 0 || ask.Job >= len(s.jobs) {
		return nil, fault.New(fault.Guest, "there is no job %d", ask.Job)
	}
	j := s.jobs[ask.Job]
	switch ask.Ask {
	case "cancel":
		select {
		case <-j.done:
		default:
			j.cancelled, j.heard = true, true
			j.cancel()
		}
	case "wait":
		j.heard = true
		s.mu.Unlock()
		select {
		case <-j.done:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if j.cancelled {
			return []byte(`{"error": "the job was cancelled"}`), nil
		}
		return j.answer, j.err
	case "status":
	default:
		return nil, fault.New(fault.Guest, "a job cannot be asked for %q", ask.Ask)
	}
	return fmt.Appendf(nil, `{"status": %q}`, s.status(j)), nil
}

// status says what a job is doing in the names of PyFlink's JobStatus.
func (s *scriptJobs) status(j *scriptJob) string {
	select {
	case <-j.done:
	default:
		if j.cancelled {
			return "CANCELLING"
		}
		return "RUNNING"
	}
	var answer struct {
		Error string `json:"error"`
	}
	switch {
	case j.cancelled:
		return "CANCELED"
	case j.err != nil, json.Unmarshal(j.answer, &answer) != nil, answer.Error != "":
		return "FAILED"
	}
	return "FINISHED"
}

// end waits for the jobs that the script has not waited for, after it cancelled them where the script has failed. The error is how the first of
// those that failed unheard did.
func (s *scriptJobs) end(failed bool) error {
	s.mu.Lock()
	jobs := s.jobs
	s.mu.Unlock()
	var errs []error
	for _, j := range jobs {
		if failed {
			j.cancel()
		}
		<-j.done
		if j.heard {
			continue
		}
		var answer struct {
			Error string `json:"error"`
		}
		err := j.err
		if err == nil && json.Unmarshal(j.answer, &answer) == nil && answer.Error != "" {
			err = fault.New(fault.Guest, "JobFailed: %s", answer.Error)
		}
		errs = append(errs, err)
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
