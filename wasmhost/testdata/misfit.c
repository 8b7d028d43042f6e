// A guest that a host must refuse, in the way that the macros say; without any it is sound.
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define PAIR(ptr, len) ((uint64_t)(uint32_t)(uintptr_t)(ptr) << 32 | (uint32_t)(len))

#ifndef ABI
#define ABI 1
#endif
#ifndef TEXT
#define TEXT "{\"abi\": 1, \"name\": \"misfit\", \"functions\": [{\"name\": \"f\", \"kind\": \"map\"}]}"
#endif

#ifdef IMPORT_FOREIGN
__attribute__((import_module("env"), import_name("fetch"))) void fetch(void);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("sock_open"))) int32_t sock_open(int32_t, int32_t, void *);
#endif
#ifdef IMPORT_TYPE
__attribute__((import_module("wasmill"), import_name("log"))) int32_t host_log(int64_t);
#endif
__attribute__((import_module("wasi_snapshot_preview1"), import_name("random_get"))) int32_t random_get(void *, uint32_t);

static char text[] = TEXT;
static _Alignas(64) char block[1 << 16];

EXPORT(wasmill_abi_v1) int32_t abi(void) {
#ifdef IMPORT_FOREIGN
	fetch(), sock_open(0, 0, 0);
#endif
#ifdef IMPORT_TYPE
	host_log(0);
#endif
	return ABI;
}
#ifdef ALLOC_WORKS
EXPORT(wasmill_alloc) void *alloc(uint32_t size, uint32_t align) {
	static uint32_t used;
	uint32_t at = (used + align - 1) & -align;
	return size < sizeof block - at ? used = at + size, block + at : 0;
}
#else
EXPORT(wasmill_alloc) void *alloc(uint32_t size, uint32_t align) { (void)align; return size < sizeof block ? block : 0; }
#endif
EXPORT(wasmill_free) void free_block(void *b, uint32_t size, uint32_t align) { (void)b, (void)size, (void)align; }
EXPORT(wasmill_describe) uint64_t describe(void) {
#ifdef DESCRIBE_TRAP
	__builtin_trap();
#elif defined DESCRIBE_OUTSIDE
	return PAIR(0xfffffff0, 100);
#elif defined DESCRIBE_HUGE
	return PAIR(0, 1 << 21);
#elif defined CHANGES
	random_get(text + 20, 1), text[20] = 'a' + (text[20] & 15); // in the name
#endif
	return PAIR(text, sizeof TEXT - 1);
}
#ifdef OPEN_LOOKS
#elif defined OPEN_TYPE
EXPORT(wasmill_open) int64_t open(int32_t fn) { return fn; }
#else
EXPORT(wasmill_open) int32_t open(int32_t fn, void *schema, void *config, uint32_t len) { (void)fn, (void)schema, (void)config, (void)len; return 0; }
#endif
#ifndef NO_CALL
EXPORT(wasmill_call) int32_t call(int32_t fn, void *in, void *out) { (void)fn, (void)in, (void)out; return 0; }
#endif
#ifndef NO_NEXT
EXPORT(wasmill_next) int32_t next(int32_t fn, void *out) { (void)fn, (void)out; return 0; }
#endif
EXPORT(wasmill_release) void release(void *array) { (void)array; }
#ifndef NO_ERROR
EXPORT(wasmill_error) uint64_t error(void) { return 0; }
#endif

#ifdef INIT_TRAP
EXPORT(_initialize) void initialize(void) { __builtin_trap(); }
#endif
