package script

import "context"

// feedLength is how many elements wait on a feed before its sender does.
const feedLength = 16

// element travels along a feed, in order: a row, a barrier, or the end.
type element struct {
	row     row
	barrier uint64 // of an epoch, if not 0
	drain   bool   // of a barrier: the last one before the job stops
	end     bool
}

// feed is a bounded queue from one subtask or source to an input of one subtask.
type feed struct {
	port     int32
	elements chan element
	ready    chan struct{} // wakes the receiver, which has one for all of its feeds

	// What the receiver knows of it.
	watermark int64
	idle      bool
	ended     bool
	blocked   bool // its barrier has come
}

// send waits for room.
func (f *feed) send(ctx context.Context, e element) error {
	select {
	case f.elements <- e:
	default:
		select {
		case f.elements <- e:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	poke(f.ready)
	return nil
}

// next returns the element that came first, if there is one.
func (f *feed) next() (element, bool) {
	select {
	case e := <-f.elements:
		return e, true
	default:
		return element{}, false
	}
}

// poke makes a channel of capacity one ready.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
