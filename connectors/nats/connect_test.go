package nats_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/wasmill/wasmill/connectors/nats"
	"github.com/wasmill/wasmill/connectors/nats/natstest"
)

// logs is a log that a test can look at.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logs) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.buf.String(), text)
}

func (l *logs) wait(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !l.has(text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log never said %q: %s", text, &l.buf)
		}
	}
}

// locked starts a server without JetStream that only lets the user in.
func locked(t *testing.T, user, password string) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, Username: user, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s.ClientURL()
}

// configHome makes a directory of NATS contexts; files maps names below nats/ to contents.
func configHome(t *testing.T, files map[string]string) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	for name, content := range files {
		path := filepath.Join(home, "nats", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(home, "nats")
}

func TestConnectWithContext(t *testing.T) {
	url := locked(t, "ada", "secret")
	bare := strings.TrimPrefix(url, "nats://")
	dir := configHome(t, map[string]string{
		"context/good.json":    fmt.Sprintf(`{"description":"d","url":%q,"user":"ada","password":"secret","color_scheme":""}`, url),
		"context/wrong.json":   fmt.Sprintf(`{"url":%q,"user":"ada","password":"guess"}`, url),
		"context/domain.json":  `{"url":"nats://x","jetstream_domain":"hub"}`,
		"context/creds.json":   `{"url":"nats://x","creds":"/nowhere/a.creds"}`,
		"context/broken.json":  `{"url":`,
		"context/nobody.json":  fmt.Sprintf(`{"url":%q}`, url),
		"context.txt":          "good\n",
		"context/ignored.text": "",
	})
	if got, err := nats.SelectedContext(); got != "good" || err != nil {
		t.Errorf("selected: got %q, %v", got, err)
	}
	in := func(name string) string { return filepath.Join(dir, "context", name+".json") }
	const auth = ": nats: Authorization Violation (give credentials with a .creds file or a NATS context)"
	for _, c := range []struct {
		options nats.Options
		want    string
	}{
		{nats.Options{Context: "good"}, ""},
		{nats.Options{Context: in("good")}, ""},
		{nats.Options{URL: "nats://ada:secret@" + bare}, ""},
		{nats.Options{Context: "wrong"}, "connect the NATS server at " + url + " refuses the user `ada` in " + in("wrong") + auth},
		{nats.Options{Context: "nobody"}, "connect the NATS server at " + url + " refuses no credentials" + auth},
		{nats.Options{URL: "nats://bob:x@" + bare}, "connect the NATS server at nats://bob:xxxxx@" + bare + " refuses the user `bob` in the URL" + auth},
		{nats.Options{URL: "nats://token@" + bare}, "connect the NATS server at nats://xxxxx@" + bare + " refuses the user `token` in the URL" + auth},
		{nats.Options{Context: "godo"}, "usage there is no NATS context `godo` (did you mean `good`?)"},
		{nats.Options{Context: "domain"}, "unsupported " + in("domain") + ": the NATS context `domain` sets `jetstream_domain`, which wasmill does not have"},
		{nats.Options{Context: "creds"}, "usage " + in("creds") + ": `creds` cannot be read: stat /nowhere/a.creds: no such file or directory"},
		{nats.Options{Context: "broken"}, "usage " + in("broken") + ": the NATS context `broken` is not valid: unexpected end of JSON input"},
		{nats.Options{URL: url, Creds: "/nowhere/b.creds"}, "usage the NATS credentials cannot be read: stat /nowhere/b.creds: no such file or directory"},
		{nats.Options{URL: "nats://[::1"}, "usage `nats://[::1` is not a NATS URL: missing ']' in host (it looks like nats://host:4222)"},
	} {
		nc, err := nats.Connect(t.Context(), c.options)
		if err == nil {
			nc.Close()
		}
		if got := text(err); got != c.want {
			t.Errorf("%+v:\n got %s\nwant %s", c.options, got, c.want)
		}
	}
}

func TestNoSelectedContext(t *testing.T) {
	configHome(t, nil)
	if got, err := nats.SelectedContext(); got != "" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestConnectWaitsForTheServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "nats://" + l.Addr().String()
	l.Close()
	_, err = nats.Connect(t.Context(), nats.Options{URL: url, Wait: -1})
	want := "connect no NATS server answers at " + url + ": nats: no servers available for connection " +
		"(start one (`nats-server -js`), or set NATS_URL or a NATS context; without either wasmill runs its own)"
	if got := text(err); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := nats.Connect(ctx, nats.Options{URL: url}); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

// TestConnectSaysWhatHappens starts the client before the server, then kills the server and starts it again.
func TestConnectSaysWhatHappens(t *testing.T) {
	server := natstest.StartProcess(t)
	server.Kill()
	log := &logs{}
	connected := make(chan error, 1)
	go func() {
		nc, err := nats.Connect(t.Context(), nats.Options{URL: server.URL, Log: slog.New(slog.NewTextHandler(log, nil))})
		if err == nil {
			t.Cleanup(nc.Close)
		}
		connected <- err
	}()
	log.wait(t, "no NATS server answers, trying on")
	server.Start(t)
	if err := <-connected; err != nil {
		t.Fatal(err)
	}
	log.wait(t, "NATS server found")
	server.Kill()
	log.wait(t, "NATS server lost, reconnecting")
	server.Start(t)
	log.wait(t, "NATS server back")
}

func TestConnectInProcess(t *testing.T) {
	s := natstest.Start(t)
	nc, err := nats.Connect(t.Context(), nats.Options{InProcess: s})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.FlushTimeout(5 * time.Second); err != nil {
		t.Error(err)
	}
}
