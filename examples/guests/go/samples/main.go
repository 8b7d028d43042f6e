// Training samples by timer: what a user clicks within ten minutes of being shown it is a positive sample, with the time it took, and what
// they do not click a negative one. Clicks on what was not shown, or too long ago, go to the side output `unseen`. The pipeline's key_by says
// that the key is the user. The same in C and Rust stands beside it.
package main

import wasmill "github.com/wasmill/wasmill/sdk/go"

type event struct {
	User string `wasmill:"user"`
	Item string `wasmill:"item"`
	Kind string `wasmill:"kind"` // show or click
}

type sample struct {
	User     string `wasmill:"user"`
	Item     string `wasmill:"item"`
	Positive bool   `wasmill:"positive"`
	After    *int64 `wasmill:"after"` // milliseconds from show to click
}

type click struct {
	User string `wasmill:"user"`
	Item string `wasmill:"item"`
}

const patience = 10 * 60 * 1000

type samples struct {
	User   wasmill.ValueState[string]
	Shown  wasmill.MapState[string, int64] // items, and when they were shown
	Unseen wasmill.SideOutput[click]
}

func (s *samples) Process(ctx *wasmill.Context[sample], in event) error {
	at, ok := ctx.Time()
	if !ok {
		return wasmill.Errorf("the event has no time")
	}
	since, shown := s.Shown.Get(in.Item)
	switch {
	case in.Kind == "show":
		s.User.Set(in.User)
		s.Shown.Put(in.Item, at)
		ctx.SetTimer(wasmill.EventTime, at+patience)
	case shown:
		s.Shown.Remove(in.Item)
		after := at - since
		ctx.Emit(sample{in.User, in.Item, true, &after})
	default:
		s.Unseen.Emit(click{in.User, in.Item})
	}
	return nil
}

func (s *samples) OnTimer(ctx *wasmill.Context[sample], t wasmill.Timer) error {
	user, _ := s.User.Get()
	for item, since := range s.Shown.All() {
		if since+patience > t.Time {
			continue // shown once more, and its timer is to come
		}
		s.Shown.Remove(item)
		ctx.Emit(sample{User: user, Item: item})
	}
	return nil
}

func init() {
	wasmill.Process("samples", &samples{}, wasmill.Doc("positive and negative samples"))
}

func main() {}
