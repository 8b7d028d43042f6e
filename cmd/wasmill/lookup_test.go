package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors/nats/natstest"
)

// lookupExample returns a copy of the example's folder.
func lookupExample(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/lookup")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("WASMILL_CACHE", t.TempDir())
	return dir
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// TestLookupExampleByRevision joins samples with the revisions of a bucket that were used then.
func TestLookupExampleByRevision(t *testing.T) {
	dir, server := lookupExample(t), natstest.Start(t)
	t.Setenv("NATS_URL", server.URL())
	_, js := natstest.Connect(t, server.URL())
	kv, err := js.CreateKeyValue(natstest.Context(t), jetstream.KeyValueConfig{Bucket: "FEATURES", History: 10})
	if err != nil {
		t.Fatal(err)
	}
	for i, user := range []string{"ana", "ben", "dee", "ana", "ana"} { // revisions 1 to 5
		if _, err := kv.Put(natstest.Context(t), user, fmt.Appendf(nil, `{"clicks": %d, "model": "m%d"}`, i+1, i/3+1)); err != nil {
			t.Fatal(err)
		}
	}
	if code := run(context.Background(), []string{"run", filepath.Join(dir, "features.yaml"), "--data-dir", t.TempDir()}, nil, testWriter{t}, testWriter{t}); code != exitDone {
		t.Fatalf("exit code %d", code)
	}
	want := []string{
		`{"trace":"t001","user":"ana","label":1,"features":1,"clicks":1,"model":"m1"}`,
		`{"trace":"t002","user":"ben","label":0,"features":2,"clicks":2,"model":"m1"}`,
		`{"trace":"t003","user":"ana","label":0,"features":4,"clicks":4,"model":"m2"}`,
		`{"trace":"t004","user":"dee","label":1,"features":3,"clicks":3,"model":"m1"}`,
	}
	if diff := cmp.Diff(want, readLines(t, filepath.Join(dir, "joined.ndjson"))); diff != "" {
		t.Error(diff)
	}
	alone := readLines(t, filepath.Join(dir, "alone.ndjson"))
	if len(alone) != 1 || !strings.Contains(alone[0], "the bucket `FEATURES` has no entry for user `cho`, features `9`") {
		t.Errorf("set aside: %s", alone)
	}
}

// TestLookupSurvivesKills kills the server in the middle of a job that reads a stream and looks up in a bucket: each row comes out with its entry.
func TestLookupSurvivesKills(t *testing.T) {
	dir, server := lookupExample(t), natstest.StartProcess(t)
	t.Setenv("NATS_URL", server.URL)
	_, js := natstest.Connect(t, server.URL)
	ctx := natstest.Context(t)
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "IN", Subjects: []string{"in"}}); err != nil {
		t.Fatal(err)
	}
	kv, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "B"})
	if err != nil {
		t.Fatal(err)
	}
	const n, keys = 3000, 50
	for i := range keys {
		if _, err := kv.Put(ctx, fmt.Sprint(i), fmt.Appendf(nil, `{"square": %d}`, i*i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		if _, err := js.PublishAsync("in", fmt.Appendf(nil, `{"n": %d, "k": %d}`, i, i%keys)); err != nil {
			t.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
	yaml := `
name: squares
epoch: 50ms
input:
  jetstream: {stream: IN, until: end}
  schema: {n: int64, k: int64}
pipeline:
  - lookup: {kv: {bucket: B, cache: {ttl: 0s}}, schema: {square: int64}, key: k}
output:
  file: {path: out.ndjson}
`
	path := filepath.Join(dir, "squares.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	done := make(chan int, 1)
	go func() {
		done <- run(context.Background(), []string{"run", path, "--data-dir", filepath.Join(dir, "state")}, nil, testWriter{t}, testWriter{t})
	}()
	for kills := 0; ; {
		select {
		case code := <-done:
			if code != exitDone {
				t.Fatalf("exit code %d", code)
			}
		case <-time.After(50 * time.Millisecond):
			if kills < 3 {
				kills++
				server.Kill()
				time.Sleep(100 * time.Millisecond)
				server.Start(t)
			}
			continue
		}
		break
	}
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf(`{"n":%d,"k":%d,"square":%d}`, i, i%keys, i%keys*(i%keys)))
	}
	got := readLines(t, filepath.Join(dir, "out.ndjson"))
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
