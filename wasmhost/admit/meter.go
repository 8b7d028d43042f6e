package admit

// DefaultSlice is the fuel to grant at a time: small against a deadline of 200 ms, large against the 50 ns of a call.
const DefaultSlice = 1_000_000

// Meter does the arithmetic of one guest's fuel. The zero value has no budget. It is not safe for concurrent use, as
// a guest is not.
type Meter struct {
	// Slice is the most fuel to grant at a time; DefaultSlice if 0.
	Slice int64

	budget  int64
	granted int64 // the fuel when it was last set
	spent   int64 // of this call, up to then
}

// Start begins a call that may spend the budget, and returns what to set the fuel to.
func (m *Meter) Start(budget int64) (fuel uint64) {
	m.budget, m.spent = max(0, budget), 0
	return uint64(m.grant())
}

// Refill accounts for what was spent when the guest asks with the fuel it has left, and returns what to answer. With
// ok false the budget is overdrawn: the guest must be stopped.
func (m *Meter) Refill(left int64) (fuel int64, ok bool) {
	m.settle(left)
	if m.spent > m.budget {
		return 0, false
	}
	return m.grant(), true
}

// Stop ends the call with the fuel left and returns what it spent in all. The last charge of a call that was stopped
// counts in full, so that it can be more than the budget.
func (m *Meter) Stop(left uint64) (spent int64) {
	m.settle(int64(left))
	return m.spent
}

// Charge spends fuel on the guest's behalf, for a host function, and tells whether the budget covers it. The guest
// keeps its slice: the charge counts at the next refill.
func (m *Meter) Charge(amount int64) (ok bool) {
	m.spent += max(0, amount)
	return m.spent <= m.budget
}

// Extend makes the budget of the call under way larger.
func (m *Meter) Extend(amount int64) { m.budget += amount }

// Spent returns what the call had spent when the fuel was last set or charged.
func (m *Meter) Spent() int64 { return m.spent }

func (m *Meter) settle(left int64) {
	m.spent += m.granted - left
	m.granted = left
}

func (m *Meter) grant() int64 {
	slice := m.Slice
	if slice <= 0 {
		slice = DefaultSlice
	}
	m.granted = max(0, min(slice, m.budget-m.spent))
	return m.granted
}
