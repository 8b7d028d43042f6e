// Package embedded runs a nats-server with JetStream inside the process, for `wasmill run` without a server, for edge
// nodes and for tests.
package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/wasmill/wasmill/engine/fault"
)

// Options say how to run a server. The zero value of each field but StoreDir is a sensible default.
type Options struct {
	// StoreDir is where JetStream keeps its streams. It is made when missing, and locked against a second server.
	StoreDir string
	// Host is the address to listen on; "" means 127.0.0.1.
	Host string
	// Port is the port to listen on; 0 means 4222 and -1 any free one.
	Port int
	// SyncInterval is how often files are synced to disk. 0 means before each acknowledgement, which loses nothing
	// when the machine stops; with an interval, as much as was acknowledged within it.
	SyncInterval time.Duration
	// MaxMemory and MaxStore bound JetStream in bytes; 0 means 64 MiB and no bound but the disk.
	MaxMemory, MaxStore int64
	// MaxPayload is the most bytes of a message; 0 means nats-server's 1 MiB.
	MaxPayload int32
	// Name is the server's name as clients see it; "" means "wasmill".
	Name string
	// ReadyWithin bounds how long the start may take; 0 means 30 s. Recovery of large streams takes its time.
	ReadyWithin time.Duration
	// Log takes the server's warnings and errors, and its notices at debug level. Nil discards them.
	Log *slog.Logger
}

// Server is a running server.
type Server struct {
	ns   *server.Server
	lock *os.File
}

// Start starts a server and returns when JetStream is ready.
//
// Faults are of code Connect when the port is taken or the server is not ready in time, and of code State when
// StoreDir cannot be used or another server has it.
func Start(o Options) (*Server, error) {
	if o.StoreDir == "" {
		return nil, fault.New(fault.Usage, "the embedded NATS server has no store directory")
	}
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.Port == 0 {
		o.Port = server.DEFAULT_PORT
	}
	if o.Name == "" {
		o.Name = "wasmill"
	}
	if o.ReadyWithin == 0 {
		o.ReadyWithin = 30 * time.Second
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = 64 << 20
	}
	if o.MaxStore == 0 {
		o.MaxStore = 1 << 62
	}
	if err := checkPort(o.Host, o.Port); err != nil {
		return nil, err
	}
	lock, err := lockDir(o.StoreDir)
	if err != nil {
		return nil, err
	}
	ns, err := start(o)
	if err != nil {
		lock.Close()
		return nil, err
	}
	return &Server{ns, lock}, nil
}

func start(o Options) (*server.Server, error) {
	opts := &server.Options{
		ServerName: o.Name, Host: o.Host, Port: o.Port, StoreDir: o.StoreDir, JetStream: true,
		JetStreamMaxMemory: o.MaxMemory, JetStreamMaxStore: o.MaxStore, MaxPayload: o.MaxPayload,
		SyncAlways: o.SyncInterval == 0, SyncInterval: o.SyncInterval,
		NoSigs: true,
	}
	if o.SyncInterval == 0 {
		// The background sync has nothing to do; with a long interval its timers do not wake an idle process.
		opts.SyncInterval = 10 * time.Minute
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fault.New(fault.Connect, "the embedded NATS server does not start: %v", err)
	}
	log := &logger{log: o.Log, fatal: make(chan string, 1)}
	ns.SetLoggerV2(log, false, false, false)
	go ns.Start()
	f := await(ns, log, o)
	if f == nil {
		return ns, nil
	}
	ns.Shutdown()
	ns.WaitForShutdown()
	return nil, f
}

// await waits until the server is ready, has said why it never will be, or has had its time.
func await(ns *server.Server, log *logger, o Options) *fault.Fault {
	for deadline := time.Now().Add(o.ReadyWithin); ; {
		ready := ns.ReadyForConnections(min(100*time.Millisecond, o.ReadyWithin))
		select {
		case what := <-log.fatal:
			return fault.New(fault.Connect, "the embedded NATS server does not start: %s", what)
		default:
		}
		if ready && ns.JetStreamEnabled() {
			return nil
		}
		if time.Now().After(deadline) {
			return fault.New(fault.Connect, "the embedded NATS server is not ready after %v", o.ReadyWithin).
				WithHint("large streams in %s take long to recover: start again, or allow more time", o.StoreDir)
		}
	}
}

// checkPort tells a port that is taken at once; the server itself would only log it.
func checkPort(host string, port int) error {
	if port < 0 {
		return nil
	}
	address := net.JoinHostPort(host, strconv.Itoa(port))
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l.Close()
	}
	f := fault.New(fault.Connect, "the embedded NATS server cannot listen on %s: %v", address, err)
	if errors.Is(err, syscall.EADDRINUSE) {
		f.What = fmt.Sprintf("the embedded NATS server cannot listen on %s: the port is in use", address)
		f.Hint = fmt.Sprintf("if that is a NATS server, use it with NATS_URL=nats://%s; else choose another port, or -1 for any free one", address)
	}
	return f
}

// lockDir makes the directory and holds an exclusive lock on a file in it: nats-server itself has none, and two
// servers on one directory destroy each other's streams. The lock ends with the process, however it ends.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fault.New(fault.State, "the NATS store directory cannot be made: %v", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "wasmill.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fault.New(fault.State, "the NATS store directory cannot be written: %v", err)
	}
	if err := flock(f); err != nil {
		f.Close()
		return nil, fault.New(fault.State, "the NATS store directory %s is in use by another process", dir).
			WithHint("stop the other wasmill, or give this one its own directory")
	}
	return f, nil
}

// URL returns the address that clients use.
func (s *Server) URL() string { return s.ns.ClientURL() }

// Version returns nats-server's version.
func (s *Server) Version() string { return server.VERSION }

// InProcessConn returns a connection that does not go through the network. It makes Server a
// nats.InProcessConnProvider.
func (s *Server) InProcessConn() (net.Conn, error) { return s.ns.InProcessConn() }

// Shutdown stops the server and waits until its files are written and closed. It may be called more than once.
func (s *Server) Shutdown() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
	s.lock.Close()
}
