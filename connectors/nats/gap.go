package nats

import (
	"context"

	"github.com/wasmill/wasmill/engine/fault"
)

// gap is called where a stream's sequence jumps although the split takes all of the stream. Either messages were deleted
// one by one, or the stream's limits have overtaken the reader: then the stream begins behind the jump.
func (r *Reader) gap(s *split) {
	s.jumped = s.delivered
	if !s.looking {
		r.look(s)
	}
}

// look asks the server, in the background, whether the stream's limits removed what follows s.jumped. The outcome comes
// through opened. A jump during a look is looked at after it.
func (r *Reader) look(s *split) {
	after := s.jumped
	s.looking, s.jumped = true, 0
	r.reopens.Go(func() {
		o := opened{split: s, looked: true}
		ctx, cancel := context.WithTimeout(r.ctx, apiTimeout)
		defer cancel()
		// Without an answer nothing is known; the stream is compared with the position when the job starts again.
		if info, err := streamInfo(ctx, r.js, s.stream); err == nil && info.State.FirstSeq > after+1 {
			o.err = fault.New(fault.State, "the stream `%s` begins at sequence %d, and was read up to %d: messages were removed before they were read",
				s.stream, info.State.FirstSeq, after).WithHint(gapHint)
		}
		select {
		case r.opened <- o:
		case <-r.ctx.Done():
		}
	})
}
