package natstest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/connectors/nats/embedded"
)

// variable holds the store directory and port for a test binary that is to be a server instead.
const variable = "WASMILL_NATSTEST_SERVER"

// Main belongs first in a TestMain: where the test binary was started by [StartProcess] it runs a server and does not
// return.
func Main() {
	dir, port, ok := strings.Cut(os.Getenv(variable), "|")
	if !ok {
		return
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	s, err := embedded.Start(embedded.Options{StoreDir: dir, Port: n})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("ready")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	s.Shutdown()
	os.Exit(0)
}

// Process is a server with sync_interval always in a process of its own.
type Process struct {
	URL  string
	dir  string
	port int
	cmd  *exec.Cmd
}

// StartProcess starts the test binary again as a server, on a port that stays its own; see [Main].
func StartProcess(t testing.TB) *Process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	p := &Process{URL: fmt.Sprintf("nats://127.0.0.1:%d", port), dir: t.TempDir(), port: port}
	p.Start(t)
	t.Cleanup(p.Kill)
	return p
}

// Start starts the server, again after [Process.Kill], and waits until it is ready.
func (p *Process) Start(t testing.TB) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(exe, "-test.run=^$")
	p.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d", variable, p.dir, p.port))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "ready\n" {
		p.Kill()
		t.Fatalf("the server did not start: %q, %v", line, err)
	}
}

// Kill ends the server as kill -9 does. It does nothing when there is none.
func (p *Process) Kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // an error means that it has ended
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// Pause stops the server for a time, as a machine that hangs does, and lets it go on.
func (p *Process) Pause(d time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGSTOP)
	time.Sleep(d)
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
}
