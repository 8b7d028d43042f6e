// A guest that can be interrupted, and is told of its end. It is opened as something else for each thing that it does.
#define OPEN_LOOKS
#define ALLOC_WORKS
#define NO_CALL
#define NO_ERROR
#include "misfit.c"

__attribute__((import_module("wasmill"), import_name("log"))) void host_log(int32_t, const void *, uint32_t);
__attribute__((import_module("wasmill"), import_name("py_execute"))) int64_t py_execute(const void *, uint32_t);

static volatile uint32_t flags = 3, value;
static uint32_t words[4];
static char what;

EXPORT(wasmill_interrupt) uint32_t *interrupt(void) {
	words[0] = (uint32_t)(uintptr_t)&flags, words[1] = (uint32_t)(uintptr_t)&value, words[2] = 42, words[3] = 8;
	return words;
}
EXPORT(wasmill_open) int32_t remember(int32_t fn, void *schema, const char *config, uint32_t len) {
	(void)fn, (void)schema;
	what = len > 1 ? config[1] : 0; // behind the quotation mark
	return 0;
}
EXPORT(wasmill_call) int32_t call(int32_t fn, void *in, void *out) {
	(void)fn, (void)in, (void)out;
	switch (what) {
	case 'd': // deaf
		for (;;) value = 0;
	case 'l': // lies about where
		words[0] = 0xfffffffe;
		break;
	case 'v': // and about the value's place
		words[1] = 0xffffffff;
		break;
	case 'j': // a job
		return py_execute("p", 1) < 0;
	}
	flags = 3;
	while (!(flags & 8)) {}
	host_log(0, flags == 11 && value == 42 ? "interrupted" : "spoiled", 11);
	return what == 'o' ? 0 : 2;
}
EXPORT(wasmill_error) uint64_t error(void) { return PAIR("stopped\nin a loop", 17); }
EXPORT(wasmill_close) int32_t close(void) {
	host_log(0, "closed", 6);
	switch (what) {
	case 'c': return 2;
	case 't': __builtin_trap();
	case 'n': return 9;
	}
	return 0;
}
