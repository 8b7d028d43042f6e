package main

import (
	"slices"
	"strconv"

	wasmill "github.com/wasmill/wasmill/sdk/go"
)

type order struct {
	Op  string `wasmill:"op"`
	Key string `wasmill:"key"`
	N   *int64 `wasmill:"n"`
}

type line struct {
	Text string `wasmill:"text"`
}

type odd struct {
	N int64 `wasmill:"n"`
}

type word struct {
	Word string `wasmill:"word"`
	N    int64  `wasmill:"n"`
}

// operate does what its rows say.
type operate struct {
	Last  wasmill.ValueState[int64]
	Brief wasmill.ValueState[int64] `ttl:"1s"`
	List  wasmill.ListState[int64]
	Map   wasmill.MapState[string, int64]
	Sum   wasmill.ReducingState[int64]
	Odd   wasmill.SideOutput[odd]
	Words wasmill.SideOutput[word]
}

func number64(n int64, ok bool) string {
	if !ok {
		return " none"
	}
	return " " + strconv.FormatInt(n, 10)
}

func (o *operate) Process(ctx *wasmill.Context[line], in order) error {
	n := int64(0)
	if in.N != nil {
		n = *in.N
	}
	domain := wasmill.EventTime
	if in.Key == "processing" {
		domain = wasmill.ProcessingTime
	}
	emit := func(text string) { ctx.Emit(line{text}) }
	switch in.Op {
	case "last", "brief":
		state := &o.Last
		if in.Op == "brief" {
			state = &o.Brief
		}
		emit(in.Op + number64(state.Get()))
		if in.N != nil {
			state.Set(n)
		} else {
			state.Clear()
		}
	case "sum":
		o.Sum.Add(n)
		emit("sum" + number64(o.Sum.Get()))
	case "add":
		o.List.Add(n)
	case "update":
		o.List.Update([]int64{n, n + 1})
	case "list":
		text := "list"
		for _, v := range o.List.Get() {
			text += number64(v, true)
		}
		emit(text)
	case "clear":
		o.List.Clear()
		o.Map.Clear()
	case "put":
		o.Map.Put(in.Key, n)
	case "get":
		emit("get" + number64(o.Map.Get(in.Key)))
	case "remove":
		o.Map.Remove(in.Key)
	case "fill":
		for i := range n {
			o.Map.Put(in.Key+strconv.FormatInt(100000+i, 10), i)
		}
	case "entries":
		text := "entries"
		for k, v := range o.Map.All() {
			text += " " + k + "=" + strconv.FormatInt(v, 10)
		}
		emit(text)
	case "sum entries":
		count, sum := int64(0), int64(0)
		for _, v := range o.Map.All() {
			count, sum = count+1, sum+v
		}
		emit("entries" + number64(count, true) + number64(sum, true))
	case "set":
		ctx.SetTimer(domain, n)
	case "delete":
		ctx.DeleteTimer(domain, n)
	case "clock":
		emit("time" + number64(ctx.Time()) + " watermark" + number64(ctx.Watermark(), true) + " now" + number64(ctx.Now(), true))
	case "aside":
		if n%2 != 0 {
			o.Odd.Emit(odd{n})
		}
		o.Words.Emit(word{in.Key, n})
	case "flood":
		for i := range n {
			emit("x")
			o.Odd.Emit(odd{i})
		}
	case "fail":
		return wasmill.Errorf("as asked")
	}
	return nil
}

func (o *operate) OnTimer(ctx *wasmill.Context[line], t wasmill.Timer) error {
	name := []string{"event", "processing"}[t.Domain]
	ctx.Emit(line{name + number64(t.Time, true)})
	o.List.Add(t.Time)
	if last, ok := o.Last.Get(); ok && slices.Contains(o.List.Get(), last) {
		return wasmill.Errorf("the timer of ", strconv.FormatInt(last, 10))
	}
	o.Words.Emit(word{name, t.Time})
	if t.Domain == wasmill.ProcessingTime {
		ctx.SetTimer(wasmill.EventTime, t.Time+10)
	}
	return nil
}

func init() {
	wasmill.Process("operate", &operate{Sum: wasmill.ReducingState[int64]{Reduce: func(a, b int64) int64 { return a + b }}},
		wasmill.Doc("does what its rows say"))
}
