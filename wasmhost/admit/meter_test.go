package admit

import "testing"

func TestMeter(t *testing.T) {
	m := Meter{Slice: 100}
	if got := m.Start(250); got != 100 {
		t.Errorf("start grants %d", got)
	}
	for i, c := range []struct {
		left int64 // the fuel when the host is asked
		fuel int64
		ok   bool
	}{
		{-7, 100, true}, // 107 spent
		{40, 83, true},  // asked with fuel left: 60 more; 83 to the budget
		{-1, 0, false},  // 84 more are 251
	} {
		if fuel, ok := m.Refill(c.left); fuel != c.fuel || ok != c.ok {
			t.Errorf("refill %d: got %d, %v", i, fuel, ok)
		}
	}
	if got := m.Stop(^uint64(0)); got != 251 {
		t.Errorf("spent %d, want 251", got)
	}
	if got := m.Start(1_000); got != 100 || m.Stop(30) != 70 {
		t.Error("a new call does not begin at nothing")
	}
	m.Start(50)
	if !m.Charge(50) || m.Charge(1) {
		t.Error("a host function's charge does not count")
	}
	if (&Meter{}).Start(0) != 0 {
		t.Error("no budget, but fuel")
	}
}
