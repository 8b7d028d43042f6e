// A guest in standard Go with what such guests use: fmt, encoding/json, regexp, strings, maps, goroutines, unicode.
package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"time"
	"unicode"
)

var words = regexp.MustCompile(`[a-z]+[0-9]*`)

//go:wasmexport work
func work(n int32) int32 {
	doc := map[string]any{}
	text := `{"name": "Straße", "list": [1, 2.5, null, true], "at": "2024-05-06T07:08:09Z"}`
	total := 0
	for i := range int(n) {
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			return -1
		}
		at, err := time.Parse(time.RFC3339, doc["at"].(string))
		if err != nil {
			return -2
		}
		s := strings.Map(unicode.ToUpper, fmt.Sprintf("%v %d %s", doc["list"], i, at.Weekday()))
		found := words.FindAllString(strings.ToLower(s), -1)
		sort.Strings(found)
		results := make(chan int)
		go func() { results <- len(strings.Join(found, ",")) }()
		total += <-results
	}
	return int32(total)
}

func main() {}
