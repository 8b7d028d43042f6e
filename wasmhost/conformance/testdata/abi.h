// The guest ABI of docs/abi.md in C, without any library, and an allocator. For tests of the host.
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define IMPORT(name) __attribute__((import_module("wasmill"), import_name(#name)))

typedef struct ArrowSchema {
	const char *format, *name, *metadata;
	int64_t flags, n_children;
	struct ArrowSchema **children, *dictionary;
	void (*release)(struct ArrowSchema *);
	void *private_data;
} ArrowSchema;

typedef struct ArrowArray {
	int64_t length, null_count, offset, n_buffers, n_children;
	const void **buffers;
	struct ArrowArray **children, *dictionary;
	void (*release)(struct ArrowArray *);
	void *private_data;
} ArrowArray;

typedef struct Result {
	ArrowArray *array;
	int32_t *origins;
	int32_t row;
	uint32_t side_count;
	void *sides;
	uint32_t partial, side, reserved;
} Result;

_Static_assert(sizeof(ArrowSchema) == 48 && sizeof(ArrowArray) == 64 && sizeof(Result) == 32, "layout");

enum { OK = 0, MORE = 1, ERROR = 2 };

#define PAIR(ptr, len) ((uint64_t)(uint32_t)(uintptr_t)(ptr) << 32 | (uint32_t)(len))

// Blocks are powers of two from 64 bytes on, aligned to 64, and kept in lists when they are free.
extern unsigned char __heap_base;
static uintptr_t brk_at;
static void *free_blocks[32];

static int block_class(uint32_t size) {
	int c = 6;
	while (c < 31 && (1u << c) < size) c++;
	return c;
}

static void *take(uint32_t size) {
	int c = block_class(size);
	if (size > 1u << 30) return 0;
	if (free_blocks[c]) {
		void *b = free_blocks[c];
		free_blocks[c] = *(void **)b;
		return b;
	}
	if (!brk_at) brk_at = ((uintptr_t)&__heap_base + 63) & ~(uintptr_t)63;
	uintptr_t end = brk_at + (1u << c);
	if (end < brk_at) return 0;
	uintptr_t have = __builtin_wasm_memory_size(0) * 65536;
	if (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) / 65536) == (size_t)-1) return 0;
	void *b = (void *)brk_at;
	brk_at = end;
	return b;
}

static void give(void *b, uint32_t size) {
	int c = block_class(size);
	*(void **)b = free_blocks[c];
	free_blocks[c] = b;
}

static inline void *memcpy_(void *to, const void *from, uint32_t n) {
	for (uint32_t i = 0; i < n; i++) ((char *)to)[i] = ((const char *)from)[i];
	return to;
}

static inline void *zero(void *to, uint32_t n) {
	for (uint32_t i = 0; i < n; i++) ((volatile char *)to)[i] = 0;
	return to;
}

static inline uint32_t length(const char *s) {
	uint32_t n = 0;
	while (s[n]) n++;
	return n;
}
