package stream

// Keys are the keys of a batch's rows, in the canonical encoding of [AppendKey].
type Keys struct {
	// Slots holds, for each row, the index of its key in Distinct. It fits an Arrow int32 column.
	Slots []int32
	// Distinct holds the keys that occur, each once, in the order of first occurrence.
	Distinct [][]byte
	// Partitions holds the partition of each key in Distinct.
	Partitions []uint16
}

// DefaultPartitions is the number of partitions of the key space of a job that says nothing else.
const DefaultPartitions = 128

// Partition returns the partition of a key in canonical encoding: its 32-bit FNV-1a hash modulo partitions.
func Partition(key []byte, partitions int) uint16 {
	h := uint32(2166136261)
	for _, b := range key {
		h = (h ^ uint32(b)) * 16777619
	}
	return uint16(h % uint32(partitions))
}

// Owner returns which of parallelism tasks owns a partition: contiguous ranges, whose sizes differ by at most one.
func Owner(partition uint16, partitions, parallelism int) int {
	return int(partition) * parallelism / partitions
}
