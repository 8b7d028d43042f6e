package wasmill

import (
	"reflect"
	"strings"
)

// Domain is the time that a timer is about.
type Domain int8

// The domains. Timers of event time fire when the watermark has come to their time.
const (
	EventTime      Domain = 0
	ProcessingTime Domain = 1
)

// Timer is a timer that fires.
type Timer struct {
	// Time is in milliseconds since 1970 UTC.
	Time   int64
	Domain Domain
}

// ProcessFunction is a function over the rows and the timers of a key. Its state and its side outputs are fields of its own: a struct
// with fields of the types [ValueState], [ListState], [MapState], [ReducingState] and [SideOutput], named by their tags as columns are,
// else by the field in lower case. The tag `ttl:"1h"` lets what is stored expire: a duration, then if wanted OnReadAndWrite or
// ReturnExpiredIfNotCleanedUp. All that it keeps between calls belongs into the state: other fields are there for its configuration.
type ProcessFunction[In, Out any] interface {
	// Process is called for each row.
	Process(ctx *Context[Out], in In) error
	// OnTimer is called for each timer that fires, and is gone then.
	OnTimer(ctx *Context[Out], t Timer) error
}

// Context is what a [ProcessFunction] has of its row or its timer, until it returns.
type Context[Out any] struct {
	f *function
	e emitter[Out]
}

// Emit makes a row of the result. Its event time is that of the row or the timer.
func (c *Context[Out]) Emit(row Out) { c.e.emit(row) }

// Time returns the event time of the row, or the time of the timer, in milliseconds since 1970 UTC, and whether there is one.
func (c *Context[Out]) Time() (ms int64, ok bool) {
	return fixed[int64](&c.f.times, c.f.at), !c.f.times.null(c.f.at)
}

// Watermark returns the event time that the input has come to, in milliseconds; [math.MinInt64] before the first watermark.
func (c *Context[Out]) Watermark() int64 { return hostWatermark() }

// Now returns processing time in milliseconds.
func (c *Context[Out]) Now() int64 { return hostNow() }

// SetTimer makes sure that the key has a timer. One whose time is over fires soon.
func (c *Context[Out]) SetTimer(d Domain, ms int64) { hostTimerSet(c.f.slots[c.f.at], int32(d), ms) }

// DeleteTimer removes a timer of the key, if it has it.
func (c *Context[Out]) DeleteTimer(d Domain, ms int64) {
	hostTimerDelete(c.f.slots[c.f.at], int32(d), ms)
}

// Process registers a process function, which is a pointer to a struct.
func Process[In, Out any](name string, fn ProcessFunction[In, Out], options ...Option) {
	var rows []In
	in, out := compileInput(reflect.TypeFor[In](), name), compileRow(reflect.TypeFor[Out](), name)
	refusePasses(name, out)
	f := &function{name: name, kind: "process", in: in, out: out, state: &row{}}
	bindFields(f, fn)
	ctx := &Context[Out]{f: f}
	each := func(i int) error {
		if f.firing {
			return fn.OnTimer(ctx, Timer{fixed[int64](&f.times, i), Domain(fixed[int8](&f.domains, i))})
		}
		return fn.Process(ctx, rows[i-f.next])
	}
	f.run = func(f *function) error {
		f.take()
		ctx.e.begin(f)
		for _, s := range f.sides {
			s.begin()
		}
		return inChunks(f, in, &rows, func(n int) error {
			for i := range n {
				f.at = f.next + i
				if err := each(f.at); err != nil {
					return err
				}
				if err := ctx.e.err; err != nil {
					return err
				}
				for _, s := range f.sides {
					if err := s.fault(); err != nil {
						return err
					}
				}
			}
			ctx.e.flush()
			err := ctx.e.err
			for _, s := range f.sides {
				s.flush()
				if err == nil {
					err = s.fault()
				}
			}
			return err
		})
	}
	register(f, options)
}

// member is a field of a process function that the host knows.
type member interface {
	// bind is called with the field's name, the type in its tag, and its ttl.
	bind(f *function, name, text, ttl, where string)
}

// bindFields finds the states and the side outputs of a process function.
func bindFields(f *function, fn any) {
	v := reflect.ValueOf(fn)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		panic("wasmill: " + f.name + ": a process function is a pointer to a struct")
	}
	names := map[string]bool{}
	t := v.Elem().Type()
	for i := range t.NumField() {
		field := t.Field(i)
		if !field.IsExported() {
			if reflect.PointerTo(field.Type).Implements(reflect.TypeFor[member]()) {
				panic("wasmill: " + f.name + ": " + t.String() + "." + field.Name + ": a field for state or a side output must be exported")
			}
			continue
		}
		m, ok := v.Elem().Field(i).Addr().Interface().(member)
		if !ok {
			continue
		}
		name, text, _ := strings.Cut(field.Tag.Get("wasmill"), ",")
		if name == "" {
			name = strings.ToLower(field.Name)
		}
		where := "wasmill: " + f.name + ": " + t.String() + "." + field.Name
		if names[name] {
			panic(where + ": there are two fields named " + name)
		}
		names[name] = true
		m.bind(f, name, strings.TrimSpace(text), field.Tag.Get("ttl"), where)
	}
}

// aside is a side output as its function knows it.
type aside interface {
	begin()
	flush()
	fault() error
}

// SideOutput takes rows that do not belong to the results: the pipeline gives it a label by its tag, the field's name.
type SideOutput[T any] struct {
	f    *function // the output, as if it were a function of its own
	main *function
	e    emitter[T]
}

func (s *SideOutput[T]) bind(f *function, tag, _, _, where string) {
	out := compileRow(reflect.TypeFor[T](), strings.TrimPrefix(where, "wasmill: "))
	refusePasses(f.name, out)
	s.main, s.f = f, &function{name: tag, kind: "side", out: out}
	f.sides, f.sideFunctions = append(f.sides, s), append(f.sideFunctions, s.f)
}

func (s *SideOutput[T]) begin() {
	s.f.take()
	s.f.now.side = s.number()
	s.e.begin(s.f)
}

func (s *SideOutput[T]) number() int {
	for i, f := range s.main.sideFunctions {
		if f == s.f {
			return i + 1
		}
	}
	return 0
}

func (s *SideOutput[T]) flush()       { s.e.flush() }
func (s *SideOutput[T]) fault() error { return s.e.err }

// Emit makes a row. Its event time is that of the row or the timer at hand.
func (s *SideOutput[T]) Emit(row T) {
	s.f.at = s.main.at
	s.e.emit(row)
}

func (f *function) sidesFull() bool {
	for _, s := range f.sideFunctions {
		if len(s.full) > 0 {
			return true
		}
	}
	return false
}

// gather puts the steps of the side outputs behind those of the results.
func (f *function) gather() {
	for i, s := range f.sideFunctions {
		if s.now != nil {
			s.full, s.now = append(s.full, s.now), nil
		}
		for _, r := range s.full {
			if r.side = i + 1; r.rows > 0 {
				f.full = append(f.full, r)
			} else {
				s.idle = append(s.idle, r)
			}
		}
		s.full = s.full[:0]
	}
}
