package plan

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// lineWidth is the number of columns of the text, indent that of the notes on a node.
const (
	lineWidth = 80
	indent    = 6
	// unbroken stands for a space within what should stay in one line.
	unbroken = "\x00"
)

// String returns the explanation as text of up to 80 columns, where words allow.
func (e *Explanation) String() string {
	var b strings.Builder
	tasks := 0
	for _, s := range e.Stages {
		tasks += s.Tasks
	}
	fmt.Fprintf(&b, "%s: %s, %s; commits every %v; %s\n", e.Name, counted(len(e.Stages), "stage"), counted(tasks, "task"),
		time.Duration(e.Epoch), counted(e.Partitions, "partition"))
	for i, s := range e.Stages {
		fmt.Fprintf(&b, "\nstage %d, %s\n", i+1, counted(s.Tasks, "task"))
		for _, in := range s.Inputs {
			how := "whole batches in turn"
			if in.Exchange == Hash {
				how = "by hash of " + join(in.Keys)
			}
			wrap(&b, "<= ", 2, fmt.Sprintf("%s, %s (rows are copied)", in.From, how))
		}
		for _, n := range s.Nodes {
			n.write(&b)
		}
	}
	if e.DeadLetter != "" {
		fmt.Fprintf(&b, "\ndead letters go to %s\n", e.DeadLetter)
	}
	return b.String()
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (n *ExplainedNode) write(b *strings.Builder) {
	head := n.ID + ": " + string(n.Kind)
	switch {
	case n.Connector != "":
		head += " " + n.Connector + ", " + n.Format
	case n.Function != "":
		head += " " + n.Function + " of " + n.Bundle
	case n.Kind == KindKeyBy:
		head += " " + join(n.Reads)
	case n.Window != "":
		head += " " + n.Window
	}
	wrap(b, "", 2, head)
	note := func(label, text string) {
		if text != "" {
			wrap(b, label+" ", indent, text)
		}
	}
	if n.Kind != KindKeyBy {
		note("reads", join(n.Reads))
	}
	note("decodes into the memory of", n.Memory)
	note("does not decode", join(n.Pruned))
	note("copies into the guest:", join(n.Copied))
	if len(n.NonNull) > 0 {
		note("takes no nulls in", join(n.NonNull)+", which may hold some: on_error decides")
	}
	note("rows without an entry:", n.Missing)
	if n.OnError != "" && n.OnError != Fail {
		note("on error:", string(n.OnError))
	}
	var columns []string
	for _, f := range n.Out {
		column := f.Name + ": " + f.Type
		if len(column) < lineWidth-indent-4 {
			column = strings.ReplaceAll(column, " ", unbroken)
		}
		columns = append(columns, column)
	}
	if n.Inferred {
		note("infers the schema", "from the first records")
	}
	if n.Kind != KindFilter && n.Kind != KindKeyBy {
		note("->", join(columns))
	}
}

// wrap writes a label and words, broken into lines that hang below the words' beginning.
func wrap(b *strings.Builder, label string, indent int, words string) {
	b.WriteString(strings.Repeat(" ", indent))
	b.WriteString(label)
	column := indent + utf8.RuneCountInString(label)
	hang := indent + 2
	if strings.HasSuffix(label, "> ") || strings.HasSuffix(label, "= ") {
		hang = column
	}
	for i, word := range strings.Split(words, " ") {
		word = strings.ReplaceAll(word, unbroken, " ")
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > lineWidth:
			b.WriteString("\n" + strings.Repeat(" ", hang))
			column = hang
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	b.WriteByte('\n')
}
