package window

// Assigner says which windows a row belongs to.
type Assigner struct {
	// Domain is the time that windows are spans of.
	Domain Domain
	// Size is the length of windows in ms, and Slide the distance of their starts, Size for tumbling ones. Offset shifts them.
	Size, Slide, Offset int64
	// Gap is set for sessions: windows that end this many ms behind their last row. Gaps, if set, gives the gap of the row at hand.
	Gap  int64
	Gaps func() (int64, error)
	// Global puts all rows into one window.
	Global bool
}

// Merges reports whether windows that meet become one.
func (a *Assigner) Merges() bool { return a.Gap > 0 || a.Gaps != nil }

// windows appends the windows of a row at time t, the latest first.
func (a *Assigner) windows(dst []Window, t int64) ([]Window, error) {
	switch {
	case a.Global:
		return append(dst, Global), nil
	case a.Gaps != nil:
		gap, err := a.Gaps()
		return append(dst, Window{t, end(t, gap)}), err
	case a.Gap > 0:
		return append(dst, Window{t, end(t, a.Gap)}), nil
	}
	for start := floor(t, a.Offset, a.Slide); start > t-a.Size; start -= a.Slide {
		dst = append(dst, Window{start, end(start, a.Size)})
		if start < t-a.Size+a.Slide {
			break // also where t - Size does not fit
		}
	}
	return dst, nil
}
