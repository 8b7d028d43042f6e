package runtime

import (
	"maps"
	"sync"
)

// maxCounters bounds the names of counters that the functions of a job may use; what is added to others is not counted.
const maxCounters = 1000

// counters are what the functions of a job count, by the names that they gave.
type counters struct {
	mu     sync.Mutex
	values map[string]float64 // guarded by mu
}

func (c *counters) add(name string, value float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values == nil {
		c.values = make(map[string]float64)
	}
	if _, ok := c.values[name]; ok || len(c.values) < maxCounters {
		c.values[name] += value
	}
}

// Counters returns what the job's functions have counted since it was made, by name.
func (j *Job) Counters() map[string]float64 {
	j.counters.mu.Lock()
	defer j.counters.mu.Unlock()
	return maps.Clone(j.counters.values)
}
