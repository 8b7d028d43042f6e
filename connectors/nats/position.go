package nats

import (
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/engine/fault"
)

// position is where a split goes on: behind the message with that sequence. Created tells a stream from one of the same
// name that took its place. It is kept in the job's state as JSON; members may be added, not changed.
type position struct {
	Stream   string    `json:"stream"`
	Created  time.Time `json:"created"`
	Sequence uint64    `json:"sequence"`
}

func parsePosition(raw json.RawMessage, split string) (*position, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var p position
	if err := json.Unmarshal(raw, &p); err != nil || p.Stream == "" {
		return nil, fault.New(fault.State, "the position of `%s` is not one of JetStream's: %s", split, raw).
			WithHint("the input was another connector's when the job last ran; start the job anew")
	}
	return &p, nil
}

// check compares the position with the stream as it is now. Its faults are of code State: reading on would lose data
// without a word.
func (p *position) check(info *jetstream.StreamInfo, acceptGaps bool) error {
	name, s := info.Config.Name, info.State
	switch {
	case p.Stream != name:
		return fault.New(fault.State, "the job's position is in the stream `%s`, the input names `%s`", p.Stream, name).
			WithHint("name the old stream again, or start the job anew")
	case !p.Created.Equal(info.Created):
		return fault.New(fault.State, "the stream `%s` is not the one that was read: it was created %s, the position is in one created %s",
			name, stamp(info.Created), stamp(p.Created)).
			WithHint("the stream was deleted and made again: restore it from a backup, or start the job anew")
	case s.LastSeq < p.Sequence:
		return fault.New(fault.State, "the stream `%s` ends at sequence %d, and was read up to %d: it has lost messages", name, s.LastSeq, p.Sequence).
			WithHint("the server was restored from a backup, or lost writes (see sync_interval): start the job anew")
	case s.FirstSeq > p.Sequence+1 && dense(info) && !acceptGaps:
		return fault.New(fault.State, "the stream `%s` begins at sequence %d, and was read up to %d: messages between may have been removed before they were read",
			name, s.FirstSeq, p.Sequence).
			WithHint(gapHint)
	}
	return nil
}

// dense says whether messages stay until the limits of the whole stream remove them. Work queues and interest streams
// remove them when they are acknowledged, and one that keeps the newest of each subject removes those that are replaced.
func dense(info *jetstream.StreamInfo) bool {
	return info.Config.Retention == jetstream.LimitsPolicy && info.Config.MaxMsgsPerSubject <= 0
}

const gapHint = "give the stream a larger max_age, max_bytes or max_msgs; to go on without what is lost, set `gaps: accept` on the input"

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
