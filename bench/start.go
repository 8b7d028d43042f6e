package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const startPipeline = `
name: start
input:
  jetstream: {stream: IN, subjects: [in], create: true}
  schema: ` + eventSchema + `
pipeline:
  - map: {bundle: bench.wasm, function: score}
output:
  jetstream: {subject: out, stream: OUT, create: true}
`

// start runs the built command with its embedded server: how long until it has processed an event, and its memory.
func start(e *env) error {
	dir, err := os.MkdirTemp(e.dir, "start-")
	if err != nil {
		return err
	}
	command := filepath.Join(dir, "wasmill")
	if text, err := exec.Command("go", "build", "-o", command, "./cmd/wasmill").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %v\n%s", err, text)
	}
	wasm, err := guestWasm()
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"bench.wasm": wasm, "start.yaml": []byte(startPipeline)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			return err
		}
	}
	cold, _, err := e.startOnce(dir, 0)
	if err != nil {
		return err
	}
	var warm []float64
	var memory uint64
	for round := range e.rounds {
		idle := time.Duration(0)
		if round == e.rounds-1 {
			idle = e.idle
		}
		took, rss, err := e.startOnce(dir, idle)
		if err != nil {
			return err
		}
		warm, memory = append(warm, float64(took.Nanoseconds())), rss
	}
	t := newTable("Start: `wasmill run` between two streams of its embedded server, a C function", "figure", "measured", "target")
	t.add("first result, first start ever", nanos(float64(cold.Nanoseconds())), "")
	t.add("first result, compile cache warm", nanos(median(warm)), "1 s")
	t.add(fmt.Sprintf("resident after %v of idling", e.idle), fmt.Sprintf("%.1f MB", float64(memory)/1e6), "80 MB")
	t.print(e.out)
	return nil
}

// startOnce starts the command, waits for the result of an event, idles, and stops it. It returns how long the result took
// from the start of the process, and the resident memory at the end in bytes.
func (e *env) startOnce(dir string, idle time.Duration) (took time.Duration, resident uint64, err error) {
	port, err := freePort()
	if err != nil {
		return 0, 0, err
	}
	var out bytes.Buffer
	cmd := exec.Command(filepath.Join(dir, "wasmill"), "run", "start.yaml", "--nats-port", port)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	cmd.Env = append(os.Environ(), "WASMILL_CACHE="+filepath.Join(dir, "cache"), "NATS_URL=", "NATS_CONTEXT=")
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err = e.firstResult(port, ended)
	took = time.Since(begin)
	if err == nil {
		time.Sleep(idle)
		resident, err = residentBytes(cmd.Process.Pid)
	}
	// The command drains on the first signal; one that is over already cannot be signalled.
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if waitErr := <-ended; err == nil {
		err = waitErr
	}
	if err != nil {
		return 0, 0, fmt.Errorf("%w\n%s", err, out.String())
	}
	return took, resident, nil
}

// firstResult sends an event as soon as there is a stream for it, and returns when its result has come.
func (e *env) firstResult(port string, ended chan error) error {
	const every = 2 * time.Millisecond
	var conn *natsgo.Conn
	for deadline := time.Now().Add(30 * time.Second); conn == nil; {
		var err error
		if conn, err = natsgo.Connect("nats://127.0.0.1:" + port); err != nil && time.Now().After(deadline) {
			return err
		}
		select {
		case err := <-ended:
			ended <- err
			return errors.New("the command ended")
		case <-time.After(every):
		}
	}
	defer conn.Close()
	results, err := conn.SubscribeSync("out")
	if err != nil {
		return err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	for {
		_, err := js.Publish(e.ctx, "in", event(1, time.Now()), jetstream.WithRetryAttempts(0))
		if err == nil {
			break
		}
		if !errors.Is(err, jetstream.ErrNoStreamResponse) {
			return err
		}
		time.Sleep(every)
	}
	_, err = results.NextMsg(30 * time.Second)
	return err
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// residentBytes reads VmRSS.
func residentBytes(pid int) (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the system does not say how much memory a process has")
}
