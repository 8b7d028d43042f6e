// Sums the numbers of a key until ten minutes of event time have gone by without a row of it, and says on which side of zero they are.
#include "abi.h"

IMPORT(state_get) int64_t state_get(int32_t state, int32_t slot, void *ptr, uint32_t cap);
IMPORT(state_put) int32_t state_put(int32_t state, int32_t slot, const void *ptr, uint32_t len);
IMPORT(state_delete) int32_t state_delete(int32_t state, int32_t slot);
IMPORT(timer_set) void timer_set(int32_t slot, int32_t domain, int64_t time);
IMPORT(timer_delete) void timer_delete(int32_t slot, int32_t domain, int64_t time);
IMPORT(watermark) int64_t watermark(void);
IMPORT(now) int64_t now(void);

enum { SUM, DUE };
static const int64_t quiet = 10 * 60 * 1000;
static const char description[] =
	"{\"abi\": 1, \"functions\": [{\"name\": \"samples\", \"kind\": \"process\", \"in\": [{\"name\": \"n\", \"type\": \"int64!\"}],"
	" \"out\": [{\"name\": \"sum\", \"type\": \"int64!\"}, {\"name\": \"positive\", \"type\": \"int64!\"}, {\"name\": \"watermark\", \"type\": \"int64!\"},"
	" {\"name\": \"now\", \"type\": \"int64!\"}], \"state\": [{\"name\": \"sum\", \"type\": \"int64\"}, {\"name\": \"due\", \"type\": \"int64\"}]}]}";

enum { COLUMNS = 4, MOST = 1024 };
static int64_t values[COLUMNS][MOST];
static int32_t origins[MOST];
static const void *root_buffers[1], *buffers[COLUMNS][2];
static ArrowArray root, children[COLUMNS], *places[COLUMNS];
static void released(ArrowArray *a) { (void)a; }

static const void *column(const ArrowArray *in, int i, int size) {
	return (const char *)in->children[i]->buffers[1] + in->children[i]->offset * size;
}

EXPORT(wasmill_abi_v1) int32_t abi(void) { return 1; }
EXPORT(wasmill_alloc) void *alloc(uint32_t size, uint32_t align) { return (void)align, take(size); }
EXPORT(wasmill_free) void free_block(void *b, uint32_t size, uint32_t align) { (void)align, give(b, size); }
EXPORT(wasmill_error) uint64_t error(void) { return 0; }
EXPORT(wasmill_describe) uint64_t describe(void) { return PAIR(description, sizeof description - 1); }
EXPORT(wasmill_open) int32_t open(int32_t fn, ArrowSchema *schema, const char *config, uint32_t len) {
	return (void)fn, (void)schema, (void)config, (void)len, OK;
}
EXPORT(wasmill_next) int32_t next(int32_t fn, Result *out) { return (void)fn, (void)out, OK; }
EXPORT(wasmill_release) void release(ArrowArray *a) { (void)a; }

EXPORT(wasmill_call) int32_t call(int32_t fn, const ArrowArray *in, Result *out) {
	const int64_t *n = column(in, 0, 8), *times = column(in, 1, 8);
	const int32_t *slots = column(in, 2, 4);
	(void)fn, (void)out;
	for (int64_t row = 0; row < in->length; row++) {
		int64_t sum = 0, due;
		state_get(SUM, slots[row], &sum, 8);
		sum += n[row];
		state_put(SUM, slots[row], &sum, 8);
		if (state_get(DUE, slots[row], &due, 8) == 8) timer_delete(slots[row], 0, due);
		due = times[row] + quiet;
		state_put(DUE, slots[row], &due, 8);
		timer_set(slots[row], 0, due);
	}
	return OK;
}

EXPORT(wasmill_timers) int32_t timers(int32_t fn, const ArrowArray *in, Result *out) {
	const int32_t *slots = column(in, 2, 4);
	(void)fn;
	root = (ArrowArray){.length = in->length, .n_buffers = 1, .n_children = COLUMNS, .buffers = root_buffers, .children = places, .release = released};
	for (int c = 0; c < COLUMNS; c++) {
		buffers[c][1] = values[c], places[c] = &children[c];
		children[c] = (ArrowArray){.length = in->length, .n_buffers = 2, .buffers = buffers[c], .release = released};
	}
	if (in->length > MOST) return ERROR;
	for (int64_t i = 0; i < in->length; i++) {
		int64_t sum = 0;
		state_get(SUM, slots[i], &sum, 8);
		values[0][i] = sum, values[1][i] = sum > 0, values[2][i] = watermark(), values[3][i] = now(), origins[i] = (int32_t)i;
		state_delete(SUM, slots[i]), state_delete(DUE, slots[i]);
	}
	out->array = &root, out->origins = origins;
	return OK;
}
