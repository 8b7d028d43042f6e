package enginetest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// plain returns results as the model writes them.
func plain(t *rapid.T, lines []string) []string {
	var out []string
	for _, line := range lines {
		var r struct {
			K          string
			Start, End *time.Time
			N, Sum     int64
			All        []int64
		}
		line = strings.NewReplacer("window_start", "Start", "window_end", "End").Replace(line)
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		ms := func(at *time.Time) string {
			if at == nil {
				return "null"
			}
			return fmt.Sprint(at.UnixMilli())
		}
		var all []string
		for _, v := range r.All {
			all = append(all, fmt.Sprint(v))
		}
		out = append(out, fmt.Sprintf(`{"k":%q,"s":%s,"e":%s,"n":%d,"sum":%d,"all":[%s]}`, r.K, ms(r.Start), ms(r.End), r.N, r.Sum, strings.Join(all, ",")))
	}
	return out
}

// values returns the column v of lines.
func values(t *rapid.T, lines []string) []string {
	var out []string
	for _, line := range lines {
		var r struct{ V int64 }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(r.V))
	}
	return out
}
