package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wasmill/wasmill/engine/fault"
)

// Options say which server to connect to and as whom. URL and Creds win over what the context says.
type Options struct {
	// URL is one or more server addresses, separated by commas. "" means the context's, or nats://127.0.0.1:4222.
	URL string
	// Creds is the path of a .creds file.
	Creds string
	// Context is the name of a context of the NATS command line tool, or the path of such a file when it has a slash.
	// "" means none; see [SelectedContext].
	Context string
	// Name is what the server shows for this client.
	Name string
	// InProcess, when set, is the embedded server: the connection does not go through the network.
	InProcess nats.InProcessConnProvider
	// Wait bounds how long a server that is not there at first is waited for; 0 means 30 s, negative not at all.
	Wait time.Duration
	// Log says when the server is waited for, lost and found again. Nil discards.
	Log *slog.Logger
}

// Connect returns a connection that, once made, reconnects for ever. The caller closes it.
//
// Faults: Usage for a context or credentials that cannot be read, Connect when no server answers in time or it
// refuses the credentials; ctx's error when that ends first.
func Connect(ctx context.Context, o Options) (*nats.Conn, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	who, opts, err := o.resolve()
	if err != nil {
		return nil, err
	}
	where := redacted(o.URL)
	if o.InProcess != nil {
		where = "the embedded server"
	}
	wait := o.Wait
	if wait == 0 {
		wait = 30 * time.Second
	}
	opts = append(opts, o.handlers(where)...)
	deadline, pause, said := time.Now().Add(wait), 100*time.Millisecond, false
	for {
		nc, err := nats.Connect(o.URL, opts...)
		if err == nil {
			if said {
				o.Log.Info("NATS server found", "url", where)
			}
			return nc, nil
		}
		if f := refused(err, where, who); f != nil {
			return nil, f
		}
		if time.Now().Add(pause).After(deadline) {
			return nil, fault.New(fault.Connect, "no NATS server answers at %s: %v", where, err).
				WithHint("start one (`nats-server -js`), or set NATS_URL or a NATS context; without either wasmill runs its own")
		}
		if !said {
			o.Log.Warn("no NATS server answers, trying on", "url", where, "for", time.Until(deadline).Round(time.Second), "error", err)
			said = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, 2*time.Second)
		}
	}
}

// resolve fills in o.URL, and returns which credentials are used, in words, and the options for them.
func (o *Options) resolve() (who string, opts []nats.Option, err error) {
	who = "no credentials"
	if o.Context != "" {
		c, err := readContext(o.Context)
		if err != nil {
			return "", nil, err
		}
		if o.URL == "" {
			o.URL = c.URL
		}
		if o.Creds != "" {
			c.forgetCredentials()
		}
		if who, opts, err = c.options(); err != nil {
			return "", nil, err
		}
	}
	if o.URL == "" {
		o.URL = nats.DefaultURL
	}
	if o.Creds != "" {
		who = "the credentials in " + o.Creds
		if _, err := os.Stat(o.Creds); err != nil {
			return "", nil, fault.New(fault.Usage, "the NATS credentials cannot be read: %v", err)
		}
		opts = append(opts, nats.UserCredentials(o.Creds))
	} else if user := userIn(o.URL); user != "" {
		who = fmt.Sprintf("the user `%s` in the URL", user)
	}
	return who, opts, nil
}

func (o *Options) handlers(where string) []nats.Option {
	log := o.Log
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(200*time.Millisecond, time.Second),
		// Credentials that are renewed, or an account that comes back, let a running job go on.
		nats.IgnoreAuthErrorAbort(),
		// The sink keeps what is not acknowledged and sends it again; a second buffer here would only double it.
		nats.ReconnectBufSize(-1),
		nats.PingInterval(20 * time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("NATS server lost, reconnecting", "url", where, "error", err)
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { log.Debug("NATS server still away", "url", where, "error", err) }),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			log.Warn("NATS server back", "url", where, "server", redacted(nc.ConnectedUrl()))
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			level := slog.LevelDebug // messages dropped here are fetched again: readers check that sequences follow each other
			if errors.Is(err, nats.ErrPermissionViolation) {
				level = slog.LevelError
			}
			log.Log(context.Background(), level, "NATS", "error", err)
		}),
	}
	if o.InProcess != nil {
		opts = append(opts, nats.InProcessServer(o.InProcess))
	}
	return opts
}

// refused returns a fault if the server is there and does not let us in: another try would not help.
func refused(err error, where, who string) *fault.Fault {
	f := fault.New(fault.Connect, "the NATS server at %s refuses %s: %v", where, who, err)
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthRevoked), errors.Is(err, nats.ErrAccountAuthExpired),
		errors.Is(err, nats.ErrAuthExpired), strings.Contains(strings.ToLower(err.Error()), "authorization violation"):
		return f.WithHint("give credentials with a .creds file or a NATS context")
	case errors.Is(err, nats.ErrSecureConnRequired), errors.Is(err, nats.ErrSecureConnWanted):
		return f.WithHint("the server and the URL do not agree on TLS: use tls:// for a server that has it, nats:// for one that has not")
	case errors.Is(err, nats.ErrNkeysNotSupported), errors.Is(err, nats.ErrNoUserCB), errors.Is(err, nats.ErrNkeyButNoSigCB):
		return f
	}
	var parse *url.Error
	if errors.As(err, &parse) {
		return fault.New(fault.Usage, "`%s` is not a NATS URL: %v", where, parse.Err).WithHint("it looks like nats://host:4222")
	}
	return nil
}

// redacted returns the URLs without passwords and tokens.
func redacted(urls string) string {
	list := strings.Split(urls, ",")
	for i, s := range list {
		s = strings.TrimSpace(s)
		if u, err := url.Parse(s); err == nil && u.User != nil {
			if _, has := u.User.Password(); has {
				s = u.Redacted()
			} else {
				u.User = url.User("xxxxx") // a token stands where a user would
				s = u.String()
			}
		} else if at := strings.LastIndexByte(s, '@'); at >= 0 {
			s = s[at+1:]
		}
		list[i] = s
	}
	return strings.Join(list, ",")
}

func userIn(urls string) string {
	first, _, _ := strings.Cut(urls, ",")
	if u, err := url.Parse(strings.TrimSpace(first)); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			return u.User.Username()
		}
		return "token"
	}
	return ""
}
