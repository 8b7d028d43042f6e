package wasmhost

import (
	"context"
	"sync"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

// maxIdle is how many instances of an image wait to be used again.
const maxIdle = 16

// clones is a bundle whose guests start from an image. The instances of guests that were closed in good order are used again: their memory becomes
// the image's, and nothing of the guest that was there before is left.
type clones struct {
	loaded
	image *Image
	owned bool // the image is closed with the bundle

	mu     sync.Mutex
	idle   []idleInstance // guarded by mu
	closed bool           // guarded by mu
}

type idleInstance struct {
	instance
	limit uint64 // of its memory
}

var _ udf.Bundle = (*clones)(nil)

// Bundle returns a bundle whose guests start from an image. Digest is the upload's, name the position in faults, files what guests see as "/". The
// image is closed with the bundle if it owns it. Errors are those of [Host.Load] about descriptions, which an image may have already.
func (t *Template) Bundle(ctx context.Context, name, digest string, image *Image, owned bool, files *Files) (udf.Bundle, error) {
	c := &clones{loaded: loaded{module: t.module, name: name, digest: digest, files: files}, image: image, owned: owned}
	c.start = c.take
	var err error
	if image.describes == nil {
		err = c.describe(ctx)
	} else {
		c.describes = image.describes
		c.functions, err = parseDescription(image.describes)
	}
	if err != nil {
		c.Close(ctx)
		return nil, inAll(err, name)
	}
	return c, nil
}

// Instantiate implements [udf.Bundle]. That a guest describes itself as the image did needs no check.
func (c *clones) Instantiate(ctx context.Context, opts udf.Options) (udf.Guest, error) {
	g, err := c.take(ctx, opts)
	if err != nil {
		return nil, fault.From(err).In("%s", c.name)
	}
	return g, nil
}

// take starts a guest in an instance that waits, or in a new one. It is a starter.
func (c *clones) take(ctx context.Context, opts udf.Options) (*guest, error) {
	c.mu.Lock()
	limit := withDefaults(opts).MaxMemory
	for i := len(c.idle) - 1; i >= 0; i-- {
		if old := c.idle[i]; old.limit == limit {
			c.idle = append(c.idle[:i], c.idle[i+1:]...)
			c.mu.Unlock()
			return c.again(ctx, opts, old.instance)
		}
	}
	c.mu.Unlock()
	g, err := c.clone(ctx, opts, c.image)
	if err == nil {
		g.pool = c
	}
	return g, err
}

// again starts a guest in an instance whose memory is the image's.
func (c *clones) again(ctx context.Context, opts udf.Options, old instance) (*guest, error) {
	g := c.guest(opts)
	g.instance, g.pool = old, c
	if err := g.resume(ctx, c.image); err != nil {
		g.discard(ctx)
		return nil, err
	}
	return g, nil
}

// recycle gives the guest's instance back, and reports whether it did. A guest that broke is never used again, nor one whose memory grew:
// its length cannot be taken back, and what lies behind the image's end would be lost to the next guest.
func (g *guest) recycle() bool {
	c := g.pool
	if c == nil || g.broken != nil || uint64(len(g.memory.Bytes())) != c.image.Size() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.idle) >= maxIdle || g.memory.Reset() != nil {
		return false
	}
	g.grown.refused = false
	c.idle = append(c.idle, idleInstance{g.instance, g.options.MaxMemory})
	g.leave()
	// Whoever still holds the old guest must not reach the next one's memory.
	g.instance = instance{memory: &linmem.Memory{}}
	return true
}

// Close implements [udf.Bundle].
func (c *clones) Close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	var err error
	for _, old := range c.idle {
		if e := old.mod.Close(ctx); err == nil {
			err = e
		}
		old.memory.Free()
	}
	c.idle = nil
	if c.owned {
		c.image.Close()
	}
	return err
}
