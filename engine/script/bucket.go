package script

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
)

// partPath names a file of a subtask: base/bucket/prefix-SUBTASK-NUMBERsuffix.
func (w *rolling) partPath(number int, now time.Time) (string, error) {
	spec := w.spec
	name := fmt.Sprintf("%s-%d-%d%s", filepath.Base("/"+spec.Prefix), w.index, number, strings.ReplaceAll(spec.Suffix, "/", "_"))
	if spec.Bucket == nil {
		return filepath.Join(spec.Path, name), nil
	}
	folder, err := bucket(*spec.Bucket, now.In(w.zone))
	if err != nil {
		return "", fault.From(err).In("%s", spec.Name)
	}
	return filepath.Join(spec.Path, folder, name), nil
}

// bucket writes a time by a pattern of Java's DateTimeFormatter. Of its letters there are those that name folders: y, u, M, d, D, E, H, h, m, s, S and a.
func bucket(pattern string, now time.Time) (string, error) {
	var b strings.Builder
	for left := pattern; left != ""; {
		n := 1
		for n < len(left) && left[n] == left[0] {
			n++
		}
		letter := left[0]
		switch {
		case letter == '\'':
			text, rest, closed := strings.Cut(left[1:], "'")
			if !closed {
				return "", fault.New(fault.Usage, "the pattern %q of folders has a quote that is not closed", pattern)
			}
			if text == "" {
				text = "'"
			}
			b.WriteString(text)
			left = rest
			continue
		case letter >= 'a' && letter <= 'z' || letter >= 'A' && letter <= 'Z':
			text, ok := dateField(letter, n, now)
			if !ok {
				return "", fault.New(fault.Usage, "the pattern %q of folders has %q, which is not known", pattern, left[:n]).
					WithHint("there are y, u, M, d, D, E, H, h, m, s, S and a; put other letters in single quotes")
			}
			b.WriteString(text)
		default:
			b.WriteString(left[:n])
		}
		left = left[n:]
	}
	return strings.ReplaceAll(b.String(), "..", "_"), nil
}

// dateField writes a field of a time, whose letter is repeated n times.
func dateField(letter byte, n int, now time.Time) (string, bool) {
	number := func(v int) (string, bool) { return fmt.Sprintf("%0*d", n, v), n <= 9 }
	switch letter {
	case 'y', 'u':
		if n == 2 {
			return number(now.Year() % 100)
		}
		return number(now.Year())
	case 'M':
		switch n {
		case 3:
			return now.Format("Jan"), true
		case 4:
			return now.Format("January"), true
		}
		return number(int(now.Month()))
	case 'E':
		if n == 4 {
			return now.Format("Monday"), true
		}
		return now.Format("Mon"), n < 4
	case 'd':
		return number(now.Day())
	case 'D':
		return number(now.YearDay())
	case 'H':
		return number(now.Hour())
	case 'h':
		return number((now.Hour()+11)%12 + 1)
	case 'm':
		return number(now.Minute())
	case 's':
		return number(now.Second())
	case 'S':
		return fmt.Sprintf("%09d", now.Nanosecond())[:min(n, 9)], n <= 9
	case 'a':
		return now.Format("PM"), n == 1
	}
	return "", false
}
