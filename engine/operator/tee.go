package operator

import "github.com/wasmill/wasmill/engine/stream"

// Tee hands every element to several outputs, or to none.
type Tee struct {
	Outputs []stream.Output
}

// Batch hands the rows to each output in turn. Rows in a guest's memory are copied first, for the first output may run
// functions of that guest.
func (t *Tee) Batch(b *stream.Batch) error {
	if b.Volatile && len(t.Outputs) > 1 {
		kept := b.Keep()
		defer kept.Release()
		kept.Keys = b.Keys
		b = kept
	}
	return t.each(func(o stream.Output) error { return o.Batch(b) })
}

// Watermark goes to every output.
func (t *Tee) Watermark(w stream.Watermark) error {
	return t.each(func(o stream.Output) error { return o.Watermark(w) })
}

// Status goes to every output.
func (t *Tee) Status(active bool) error {
	return t.each(func(o stream.Output) error { return o.Status(active) })
}

// Barrier goes to every output.
func (t *Tee) Barrier(epoch uint64, drain bool) error {
	return t.each(func(o stream.Output) error { return o.Barrier(epoch, drain) })
}

// End goes to every output.
func (t *Tee) End() error { return t.each(func(o stream.Output) error { return o.End() }) }

func (t *Tee) each(do func(stream.Output) error) error {
	for _, o := range t.Outputs {
		if err := do(o); err != nil {
			return err
		}
	}
	return nil
}
