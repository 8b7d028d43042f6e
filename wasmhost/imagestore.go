package wasmhost

import (
	"path/filepath"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/sealed"
)

// ImageStore keeps images on disk, sealed, so that a guest need not be prepared again. A nil store keeps nothing. It may be used by
// several goroutines and processes.
type ImageStore struct{ files *sealed.Store }

// maxImage is the most bytes of an image on disk.
const maxImage = 1 << 30

// OpenImages returns the store in the folder images of a cache folder, which is made. The error is a fault of code Connect.
func OpenImages(cache string) (*ImageStore, error) {
	files, err := sealed.Open(filepath.Join(cache, "images"), sealed.Kind{Magic: imageMagic, Ending: ".image", Most: 4 << 30})
	if err != nil {
		return nil, fault.New(fault.Connect, "the folder for images cannot be used: %v", err).WithHint("it must be a folder that this user can write")
	}
	return &ImageStore{files}, nil
}

// Get returns the image that was put under a key, a file's name, and whether there is one that is sound. It must be one of the template's.
func (s *ImageStore) Get(key string, t *Template) (*Image, bool) {
	if s == nil {
		return nil, false
	}
	content, ok := s.files.Get(key, maxImage)
	if !ok {
		return nil, false
	}
	image, err := decodeImage(content, len(t.module.globals))
	if err != nil {
		s.files.Drop(key)
		return nil, false
	}
	return image, true
}

// Put keeps an image under a key. That it cannot is no error: the image is made anew the next time.
func (s *ImageStore) Put(key string, i *Image) {
	if s == nil {
		return
	}
	memory, err := i.memory.Reserve(i.memory.Size())
	if err != nil {
		return
	}
	defer memory.Free()
	s.files.Put(key, i.encode(memory.Bytes())...)
}
