package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/engine/stream"
)

// jobCollector shows a job's counters to Prometheus.
type jobCollector struct {
	name string
	job  *runtime.Job
}

var (
	nodeLabels = []string{"job", "node", "kind", "task"}
	jobLabels  = []string{"job"}

	rowsIn      = prometheus.NewDesc("wasmill_rows_in_total", "Rows that an operator took.", nodeLabels, nil)
	rowsOut     = prometheus.NewDesc("wasmill_rows_out_total", "Rows that an operator passed on or wrote.", nodeLabels, nil)
	batches     = prometheus.NewDesc("wasmill_batches_total", "Batches that an operator took.", nodeLabels, nil)
	bytesIn     = prometheus.NewDesc("wasmill_source_bytes_total", "Bytes that a source decoded.", nodeLabels, nil)
	rejectedSum = prometheus.NewDesc("wasmill_rejected_total", "Records or rows that were skipped or set aside.", nodeLabels, nil)
	lateSum     = prometheus.NewDesc("wasmill_late_total", "Rows that came after the end of their windows.", nodeLabels, nil)
	watermarks  = prometheus.NewDesc("wasmill_watermark_seconds", "How far event time has come, in seconds since 1970.", nodeLabels, nil)
	copiedBytes = prometheus.NewDesc("wasmill_guest_copied_bytes_total", "Bytes of columns copied into a guest.", nodeLabels, nil)
	fuelUsed    = prometheus.NewDesc("wasmill_fuel_total", "Fuel that an operator's function used.", nodeLabels, nil)
	guestBytes  = prometheus.NewDesc("wasmill_guest_memory_bytes", "Linear memory of an operator's guest.", nodeLabels, nil)
	guests      = prometheus.NewDesc("wasmill_guests_started_total", "Guests that an operator has used.", nodeLabels, nil)
	busySeconds = prometheus.NewDesc("wasmill_busy_seconds_total", "Time that an operator worked, without those behind it.", nodeLabels, nil)
	epochNumber = prometheus.NewDesc("wasmill_epoch", "The newest epoch committed.", jobLabels, nil)
	commits     = prometheus.NewDesc("wasmill_commits_total", "Epochs committed by this process.", jobLabels, nil)
	commitTime  = prometheus.NewDesc("wasmill_commit_seconds_total", "Time from barriers to commits.", jobLabels, nil)
	userCounts  = prometheus.NewDesc("wasmill_function_total", "What the functions of a job counted, by the name that they gave.", []string{"job", "name"}, nil)
	restarts    = prometheus.NewDesc("wasmill_restarts_total", "Times that the job was started again after a failure.", jobLabels, nil)
)

// Describe implements [prometheus.Collector].
func (c *jobCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements [prometheus.Collector].
func (c *jobCollector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	for _, s := range c.job.Stats() {
		labels := []string{c.name, s.Node, s.Kind, strconv.Itoa(s.Task)}
		counter(rowsIn, float64(s.RowsIn.Load()), labels...)
		counter(rowsOut, float64(s.RowsOut.Load()), labels...)
		counter(batches, float64(s.Batches.Load()), labels...)
		counter(bytesIn, float64(s.BytesIn.Load()), labels...)
		counter(rejectedSum, float64(s.Rejected.Load()), labels...)
		counter(lateSum, float64(s.Late.Load()), labels...)
		if w := stream.Watermark(s.Watermark.Load()); w != stream.MinWatermark && w != stream.MaxWatermark {
			ch <- prometheus.MustNewConstMetric(watermarks, prometheus.GaugeValue, float64(w)/1000, labels...)
		}
		counter(copiedBytes, float64(s.CopiedBytes.Load()), labels...)
		counter(fuelUsed, float64(s.Fuel.Load()), labels...)
		counter(guests, float64(s.Guests.Load()), labels...)
		counter(busySeconds, s.Busy().Seconds(), labels...)
		ch <- prometheus.MustNewConstMetric(guestBytes, prometheus.GaugeValue, float64(s.GuestBytes.Load()), labels...)
	}
	e := c.job.Epochs()
	ch <- prometheus.MustNewConstMetric(epochNumber, prometheus.GaugeValue, float64(e.Epoch.Load()), c.name)
	counter(commits, float64(e.Commits.Load()), c.name)
	counter(commitTime, time.Duration(e.TotalNanos.Load()).Seconds(), c.name)
	counter(restarts, float64(c.job.Restarts()), c.name)
	for name, value := range c.job.Counters() {
		ch <- prometheus.MustNewConstMetric(userCounts, prometheus.UntypedValue, value, c.name, name)
	}
}

// serveMetrics serves /metrics on addr until the function returned is called, and says where.
func serveMetrics(addr, name string, job *runtime.Job) (url string, stop func(), err error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&jobCollector{name, job}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fault.New(fault.Connect, "the metrics cannot be served on %s: %v", addr, err).
			WithHint("choose a free address with --metrics HOST:PORT")
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			return
		}
	}()
	return "http://" + listener.Addr().String() + "/metrics", func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
		<-done
	}, nil
}
