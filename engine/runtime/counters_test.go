package runtime

import (
	"fmt"
	"testing"
)

func TestCountersAreBounded(t *testing.T) {
	j := &Job{}
	for i := range maxCounters + 10 {
		j.counters.add(fmt.Sprint(i), 1)
		j.counters.add("0", 0.5)
	}
	got := j.Counters()
	if len(got) != maxCounters || got["0"] != 1+0.5*(maxCounters+10) {
		t.Errorf("%d counters, the first is %v", len(got), got["0"])
	}
}
