package state

// At is where a value of a keyed state is: a key, its partition, and the namespace (window), which may be empty.
type At struct {
	Partition      uint16
	Key, Namespace []byte
}

// place is a state of an operator, over an overlay.
type place struct {
	o              *Overlay
	operator, name string
	key            []byte
	keeper
}

func newPlace(o *Overlay, operator string, d Decl, now Clock) place {
	return place{o: o, operator: operator, name: d.Name, keeper: keeper{ttl: d.TTL, now: now}}
}

// at returns the key of a value, until the next call.
func (p *place) at(at At) []byte {
	p.key = AppendKey(p.key[:0], at.Partition, p.operator, p.name, at.Key, at.Namespace)
	return p.key
}

// read returns the value at a key, and prolongs its life or removes it.
func (p *place) read(key []byte) ([]byte, bool, error) {
	stored, ok, err := p.o.Get(key)
	if err != nil || !ok {
		return nil, false, err
	}
	value, expired, renew, err := p.unwrap(stored)
	switch {
	case err != nil:
		return nil, false, err
	case expired:
		value = append([]byte(nil), value...)
		if err := p.o.DeleteOrdered(key); err != nil || !p.returns() {
			return nil, false, err
		}
	case renew:
		value = append([]byte(nil), value...)
		if err := p.o.PutOrdered(key, p.wrap(value)); err != nil {
			return nil, false, err
		}
	}
	return value, true, nil
}

func (p *place) write(key, value []byte) error {
	if p.ttl != nil {
		return p.o.PutOrdered(key, p.wrap(value)) // ordered, for Sweep to find it
	}
	return p.o.Put(key, value)
}

func (p *place) remove(key []byte) error {
	if p.ttl != nil {
		return p.o.DeleteOrdered(key)
	}
	return p.o.Delete(key)
}

// Sweep removes expired values of the state in a partition: it looks at up to n values from `from` on, nil for the first, and
// returns where to go on, nil at the end.
func (p *place) Sweep(partition uint16, from []byte, n int) ([]byte, error) {
	if p.ttl == nil {
		return nil, nil
	}
	return p.sweep(p.o, AppendStatePrefix(nil, partition, p.operator, p.name), from, n)
}

// Value is one value a key.
type Value struct{ place }

// NewValue returns the values of a state.
func NewValue(o *Overlay, operator string, d Decl, now Clock) *Value {
	return &Value{newPlace(o, operator, d, now)}
}

// Get returns the value, until the next call of the overlay, and whether there is one.
func (v *Value) Get(at At) ([]byte, bool, error) { return v.read(v.at(at)) }

// Set stores a copy of a value.
func (v *Value) Set(at At, value []byte) error { return v.write(v.at(at), value) }

// Clear removes the value.
func (v *Value) Clear(at At) error { return v.remove(v.at(at)) }

// Reduce makes one value of two.
type Reduce func(a, b []byte) ([]byte, error)

// Reducing keeps the reduction of all values that were added.
type Reducing struct {
	Value
	reduce Reduce
}

// NewReducing returns the values of a state.
func NewReducing(o *Overlay, operator string, d Decl, now Clock, reduce Reduce) *Reducing {
	return &Reducing{*NewValue(o, operator, d, now), reduce}
}

// Add reduces the value with another; the first one is stored as it is.
func (r *Reducing) Add(at At, value []byte) error {
	old, ok, err := r.Get(at)
	if err == nil && ok {
		value, err = r.reduce(old, value)
	}
	if err != nil {
		return err
	}
	return r.Set(at, value)
}

// Aggregate is PyFlink's AggregateFunction over bytes. Add and Merge may change and return the accumulator that they get first.
type Aggregate interface {
	Create() ([]byte, error)
	Add(accumulator, value []byte) ([]byte, error)
	Merge(a, b []byte) ([]byte, error)
	Result(accumulator []byte) ([]byte, error)
}

// Aggregating keeps an accumulator of all values that were added.
type Aggregating struct {
	value     *Value
	aggregate Aggregate
}

// NewAggregating returns the values of a state.
func NewAggregating(o *Overlay, operator string, d Decl, now Clock, aggregate Aggregate) *Aggregating {
	return &Aggregating{NewValue(o, operator, d, now), aggregate}
}

// Get returns the result of the accumulator, and whether anything was added.
func (a *Aggregating) Get(at At) ([]byte, bool, error) {
	acc, ok, err := a.value.Get(at)
	if err != nil || !ok {
		return nil, false, err
	}
	result, err := a.aggregate.Result(append([]byte(nil), acc...))
	return result, err == nil, err
}

// Add adds a value to the accumulator.
func (a *Aggregating) Add(at At, value []byte) error {
	acc, ok, err := a.value.Get(at)
	acc = append([]byte(nil), acc...)
	if err == nil && !ok {
		acc, err = a.aggregate.Create()
	}
	if err == nil {
		acc, err = a.aggregate.Add(acc, value)
	}
	if err != nil {
		return err
	}
	return a.value.Set(at, acc)
}

// Clear removes the accumulator.
func (a *Aggregating) Clear(at At) error { return a.value.Clear(at) }

// Sweep is as with Value.
func (a *Aggregating) Sweep(partition uint16, from []byte, n int) ([]byte, error) {
	return a.value.Sweep(partition, from, n)
}
