// Package house holds the rules of the house as tests: which package may import which.
package house
