package nats

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/wasmill/wasmill/engine/fault"
)

// cliContext is a context file of the NATS command line tool, ~/.config/nats/context/NAME.json, as that tool writes it.
// Members that matter to other tools alone are passed over.
type cliContext struct {
	URL         string `json:"url"`
	Token       string `json:"token"`
	User        string `json:"user"`
	Password    string `json:"password"`
	Creds       string `json:"creds"`
	NKey        string `json:"nkey"`
	Cert        string `json:"cert"`
	Key         string `json:"key"`
	CA          string `json:"ca"`
	UserJWT     string `json:"user_jwt"`
	UserSeed    string `json:"user_seed"`
	InboxPrefix string `json:"inbox_prefix"`
	TLSFirst    bool   `json:"tls_first"`

	// These change where or how the server is spoken to, in ways that wasmill does not have: refused by name.
	NSC       string `json:"nsc"`
	Socks     string `json:"socks_proxy"`
	Domain    string `json:"jetstream_domain"`
	APIPrefix string `json:"jetstream_api_prefix"`
	CertStore string `json:"windows_cert_store"`

	path string
}

// configDir is where the NATS command line tool keeps its files.
func configDir() (string, error) {
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "nats"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fault.New(fault.Usage, "NATS contexts cannot be found: %v", err)
	}
	return filepath.Join(home, ".config", "nats"), nil
}

// SelectedContext returns the name of the context that `nats context select` chose, or "" when there is none.
func SelectedContext() (string, error) {
	dir, err := configDir()
	if err != nil {
		return "", err
	}
	name, err := os.ReadFile(filepath.Join(dir, "context.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fault.New(fault.Usage, "the selected NATS context cannot be read: %v", err)
	}
	return strings.TrimSpace(string(name)), nil
}

// readContext reads the context with that name, or the file when name has a slash. Faults are of code Usage.
func readContext(name string) (*cliContext, error) {
	path := name
	if !strings.ContainsRune(name, '/') && !strings.ContainsRune(name, filepath.Separator) {
		dir, err := configDir()
		if err != nil {
			return nil, err
		}
		path = filepath.Join(dir, "context", name+".json")
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		f := fault.New(fault.Usage, "there is no NATS context `%s`", name)
		if hint := fault.DidYouMean(name, contextNames(filepath.Dir(path))); hint != "" {
			return nil, f.WithHint("%s", hint)
		}
		return nil, f.WithHint("make one with `nats context add %s --server nats://host:4222`", name)
	}
	if err != nil {
		return nil, fault.New(fault.Usage, "the NATS context `%s` cannot be read: %v", name, err)
	}
	c := &cliContext{path: path}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fault.New(fault.Usage, "the NATS context `%s` is not valid: %v", name, err).At("%s", path)
	}
	for _, m := range []struct{ name, value string }{
		{"nsc", c.NSC}, {"socks_proxy", c.Socks}, {"jetstream_domain", c.Domain},
		{"jetstream_api_prefix", c.APIPrefix}, {"windows_cert_store", c.CertStore},
	} {
		if m.value != "" {
			return nil, fault.New(fault.Unsupported, "the NATS context `%s` sets `%s`, which wasmill does not have", name, m.name).At("%s", path)
		}
	}
	return c, nil
}

func contextNames(dir string) []string {
	entries, _ := os.ReadDir(dir) // no directory, no suggestions
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			names = append(names, name)
		}
	}
	return names
}

func (c *cliContext) forgetCredentials() {
	c.Token, c.User, c.Password, c.Creds, c.NKey, c.UserJWT, c.UserSeed = "", "", "", "", "", "", ""
}

// options returns the credentials in words, and what to connect with.
func (c *cliContext) options() (who string, opts []nats.Option, err error) {
	who = "no credentials"
	readable := func(what, path string) (string, error) {
		path = expandHome(path)
		if _, err := os.Stat(path); err != nil {
			return "", fault.New(fault.Usage, "`%s` cannot be read: %v", what, err).At("%s", c.path)
		}
		return path, nil
	}
	switch {
	case c.Creds != "":
		path, err := readable("creds", c.Creds)
		if err != nil {
			return "", nil, err
		}
		who, opts = "the credentials in "+path, append(opts, nats.UserCredentials(path))
	case c.NKey != "":
		path, err := readable("nkey", c.NKey)
		if err != nil {
			return "", nil, err
		}
		o, err := nats.NkeyOptionFromSeed(path)
		if err != nil {
			return "", nil, fault.New(fault.Usage, "`nkey` does not hold a seed: %v", err).At("%s", c.path)
		}
		who, opts = "the key in "+path, append(opts, o)
	case c.UserJWT != "":
		who, opts = "the token `user_jwt` in "+c.path, append(opts, nats.UserJWTAndSeed(c.UserJWT, c.UserSeed))
	case c.User != "":
		who, opts = fmt.Sprintf("the user `%s` in %s", c.User, c.path), append(opts, nats.UserInfo(c.User, c.Password))
	case c.Token != "":
		who, opts = "the token in "+c.path, append(opts, nats.Token(c.Token))
	}
	if c.CA != "" {
		path, err := readable("ca", c.CA)
		if err != nil {
			return "", nil, err
		}
		opts = append(opts, nats.RootCAs(path))
	}
	if c.Cert != "" {
		cert, err := readable("cert", c.Cert)
		if err != nil {
			return "", nil, err
		}
		key, err := readable("key", c.Key)
		if err != nil {
			return "", nil, err
		}
		opts = append(opts, nats.ClientCert(cert, key))
	}
	if c.InboxPrefix != "" {
		opts = append(opts, nats.CustomInboxPrefix(c.InboxPrefix))
	}
	if c.TLSFirst {
		opts = append(opts, nats.TLSHandshakeFirst())
	}
	return who, opts, nil
}

func expandHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}
