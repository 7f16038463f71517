package strictyaml

import "fmt"

// didYouMean names the word nearest to got, if one is near enough to be a slip of the finger.
func didYouMean(got string, words []string) string {
	if len(got) > 64 { // a slip is short; and the distance costs length times length
		return ""
	}
	best, least := "", 1+max(1, len(got)/3)
	for _, w := range words {
		if n := distance(got, w); n < least {
			best, least = w, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance counts the bytes to insert, drop or change to turn a into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
