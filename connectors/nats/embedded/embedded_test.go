package embedded_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/connectors/nats/embedded"
	"github.com/wasmill/wasmill/engine/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStartServeShutdown(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for life := range 2 {
		s, err := embedded.Start(embedded.Options{StoreDir: dir, Port: -1})
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^2\.\d+\.\d+`).MatchString(s.Version()) {
			t.Errorf("got version %q", s.Version())
		}
		for name, connect := range map[string]func() (*nats.Conn, error){
			"network":    func() (*nats.Conn, error) { return nats.Connect(s.URL()) },
			"in process": func() (*nats.Conn, error) { return nats.Connect("", nats.InProcessServer(s)) },
		} {
			nc, err := connect()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			js, err := nc.JetStream()
			if err != nil {
				t.Fatal(err)
			}
			if life == 0 && name == "network" {
				if _, err := js.AddStream(&nats.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
					t.Fatal(err)
				}
				if _, err := js.Publish("s", []byte("kept")); err != nil {
					t.Fatal(err)
				}
			}
			if life == 1 {
				m, err := js.GetLastMsg("S", "s")
				if err != nil || string(m.Data) != "kept" {
					t.Errorf("after a restart: got %v, %v", m, err)
				}
			}
			nc.Close()
		}
		s.Shutdown()
		s.Shutdown() // again does nothing
	}
}

func TestFaults(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	dir := t.TempDir()
	s, err := embedded.Start(embedded.Options{StoreDir: dir, Port: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		options embedded.Options
		want    string
	}{
		{embedded.Options{}, "usage the embedded NATS server has no store directory"},
		{embedded.Options{StoreDir: t.TempDir(), Port: port}, fmt.Sprintf("connect the embedded NATS server cannot listen on 127.0.0.1:%d: the port is in use "+
			"(if that is a NATS server, use it with NATS_URL=nats://127.0.0.1:%d; else choose another port, or -1 for any free one)", port, port)},
		{embedded.Options{StoreDir: dir, Port: -1}, "state the NATS store directory " + dir + " is in use by another process (stop the other wasmill, or give this one its own directory)"},
		{embedded.Options{StoreDir: filepath.Join(file, "x"), Port: -1}, "state the NATS store directory cannot be made: mkdir " + file + ": not a directory"},
		{embedded.Options{StoreDir: t.TempDir(), Port: -1, ReadyWithin: time.Nanosecond}, "connect the embedded NATS server is not ready after 1ns"},
		{embedded.Options{StoreDir: t.TempDir(), Host: "host.invalid", Port: -1}, "connect the embedded NATS server does not start"},
	} {
		s, err := embedded.Start(c.options)
		if err == nil {
			s.Shutdown()
		}
		got := string(fault.CodeOf(err)) + " " + fmt.Sprint(err)
		whole := len(got) > len(c.want) && (c.options.ReadyWithin > 0 || c.options.Host != "")
		if whole {
			got = got[:len(c.want)] // the rest names a directory or is the resolver's
		}
		if got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}
