package fault

import (
	"sort"
	"strings"
)

// Suggest returns the candidate nearest to word by edit distance with transpositions, or "" when none is near enough
// to be what the user meant: at most a third of the word's length, and at least one edit, is allowed.
func Suggest(word string, candidates []string) string {
	if word == "" {
		return ""
	}
	limit := max(1, len(word)/3)
	best, bestDistance := "", limit+1
	sorted := append([]string(nil), candidates...)
	sort.Strings(sorted)
	for _, c := range sorted {
		if c == word {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// DidYouMean returns a hint: the nearest candidate where there is one, else the list of what there is.
func DidYouMean(word string, candidates []string) string {
	if s := Suggest(word, candidates); s != "" {
		return "did you mean `" + s + "`?"
	}
	if len(candidates) == 0 {
		return ""
	}
	const most = 12
	list := append([]string(nil), candidates...)
	sort.Strings(list)
	more := ""
	if len(list) > most {
		list, more = list[:most], ", ..."
	}
	return "there is " + strings.Join(list, ", ") + more
}

// distance is the optimal string alignment distance of Damerau and Levenshtein, in bytes.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
