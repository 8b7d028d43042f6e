package bundle

// ReadSmall is Read with a limit of 64 KiB for a file and 256 KiB for an archive's contents, of 20 entries.
func ReadSmall(name string, upload []byte) (*Bundle, error) {
	return read(name, upload, limits{upload: 512 << 10, files: 20, file: 64 << 10, unpacked: 256 << 10})
}
