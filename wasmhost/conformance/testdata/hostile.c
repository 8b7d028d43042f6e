// A guest whose functions each break one rule of docs/abi.md. The host must answer every one with a fault.
#include "abi.h"

IMPORT(log) void host_log(int32_t level, const void *ptr, uint32_t len);
IMPORT(metric) void host_metric(const void *ptr, uint32_t len, double value);
IMPORT(state_get) int64_t state_get(int32_t state, int32_t slot, void *ptr, uint32_t cap);
IMPORT(state_put) int32_t state_put(int32_t state, int32_t slot, const void *ptr, uint32_t len);
IMPORT(timer_set) void timer_set(int32_t slot, int32_t domain, int64_t time);
IMPORT(timer_delete) void timer_delete(int32_t slot, int32_t domain, int64_t time);
IMPORT(watermark) int64_t watermark(void);
IMPORT(list_add) int32_t list_add(int32_t state, int32_t slot, const void *ptr, uint32_t len);
IMPORT(list_get) int64_t list_get(int32_t state, int32_t slot, void *ptr, uint32_t cap);
IMPORT(map_get) int64_t map_get(int32_t state, int32_t slot, const void *key, uint32_t key_len, void *ptr, uint32_t cap);
IMPORT(map_put) int32_t map_put(int32_t state, int32_t slot, const void *key, uint32_t key_len, const void *ptr, uint32_t len);
IMPORT(map_next) int64_t map_next(int32_t state, int32_t slot, const void *key, uint32_t key_len, void *ptr, uint32_t cap);
IMPORT(state_delete) int32_t state_delete(int32_t state, int32_t slot);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"))) void proc_exit(uint32_t code);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("poll_oneoff"))) int32_t poll_oneoff(const void *in, void *out, uint32_t n, uint32_t *events);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) int32_t fd_write(int32_t fd, const void *vectors, uint32_t n, uint32_t *written);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("random_get"))) int32_t random_get(void *at, uint32_t n);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("sched_yield"))) int32_t sched_yield(void);

#define IN "\"in\": [{\"name\": \"n\", \"type\": \"int64\"}]"
#define NUMBER "\"out\": [{\"name\": \"n\", \"type\": \"int64\"}]"
#define PROMISE "\"out\": [{\"name\": \"n\", \"type\": \"int64!\"}]"
#define TEXT "\"out\": [{\"name\": \"s\", \"type\": \"utf8\"}]"
#define LIST "\"out\": [{\"name\": \"l\", \"type\": \"list<int64>\"}]"
#define DICT "\"out\": [{\"name\": \"d\", \"type\": \"dictionary<int32, utf8>\"}]"
#define BYTES "\"in\": [{\"name\": \"s\", \"type\": \"utf8\"}]"
#define STATE NUMBER ", \"state\": [{\"name\": \"s\", \"type\": \"bytes\"}]"

#define KINDS NUMBER ", \"state\": [{\"name\": \"v\", \"type\": \"b\"}, {\"name\": \"l\", \"kind\": \"list\", \"type\": \"b\"}, " \
	"{\"name\": \"m\", \"kind\": \"map\", \"type\": \"b, b\"}], \"sides\": [{\"tag\": \"late\", \"out\": [{\"name\": \"n\", \"type\": \"int64\"}]}]"

#define ALL(F) \
	F(status_7, map, IN) F(status_negative, map, IN) F(array_outside, map, IN) F(array_at_the_end, map, IN) F(array_unaligned, map, IN) \
	F(no_array, map, IN) F(null_release, map, IN) F(child_release, map, IN) F(buffer_outside, map, IN) F(buffers_outside, map, IN) \
	F(children_outside, map, IN) F(child_null, map, IN) F(buffer_null, map, IN) F(negative_length, map, IN) F(negative_child_length, map, IN) \
	F(huge_length, map, IN) F(short_child, map, IN) F(negative_offset, map, IN) F(huge_offset, map, IN) F(root_offset, map, IN) \
	F(negative_buffers, map, IN) F(three_buffers, map, IN) F(no_children, map, IN) F(many_children, map, IN) F(null_count_wrong, map, IN) \
	F(huge_null_count, map, IN) F(nulls_promised, map, IN ", " PROMISE) F(validity_outside, map, IN) \
	F(falling_offsets, map, IN ", " TEXT) F(negative_offsets, map, IN ", " TEXT) F(data_outside, map, IN ", " TEXT) \
	F(cyclic_child, map, IN ", " LIST) F(list_beyond_child, map, IN ", " LIST) F(list_falling, map, IN ", " LIST) \
	F(no_dictionary, map, IN ", " DICT) F(index_beyond, map, IN ", " DICT) F(index_negative, map, IN ", " DICT) \
	F(map_fewer, map, IN) F(map_more, map, IN) F(map_origins, map, IN) F(filter_short, filter, IN) F(scalar_short, scalar, IN ", " NUMBER) \
	F(flat_without_origins, flat_map, IN) F(origins_wild, flat_map, IN) F(origins_negative, flat_map, IN) F(origins_falling, flat_map, IN) \
	F(origins_outside, flat_map, IN) F(origins_fall_between_steps, flat_map, IN) F(origins_in_some_steps, flat_map, IN) \
	F(partial_2, flat_map, IN) F(partial_last, flat_map, IN) F(partial_map, map, IN) F(partial_unsaid, flat_map, IN) \
	F(row_beyond, map, IN) F(row_negative, map, IN) F(error_outside, map, IN) F(error_empty, map, IN) F(error_binary, map, IN) F(error_long, map, IN) \
	F(side_count, map, IN) F(trap, map, IN) F(trap_in_next, map, IN) F(trap_in_release, map, IN) F(stack_overflow, map, IN) F(recursion, map, IN) F(division, map, IN) \
	F(call_outside, map, IN) F(leave, map, IN) F(grow, map, IN) F(memory_hungry, map, IN) F(too_many_rows, flat_map, IN) F(too_many_bytes, map, IN) \
	F(more_forever, map, IN) F(spin, map, IN) F(nap, map, IN) F(calls, map, IN) F(random_forever, map, IN) F(random_large, map, IN) \
	F(print_forever, map, IN) F(print_lines, map, IN) F(log_forever, map, IN) F(metric_forever, map, IN) F(poll_forever, map, IN) \
	F(yield_forever, map, IN) F(state_forever, keyed_map, IN ", " STATE) F(writes_input, map, BYTES ", " BYTES_OUT) \
	F(log_outside, map, IN) F(log_flood, map, IN) F(metric_long, map, IN) F(state_in_map, map, IN) F(state_index, keyed_map, IN ", " STATE) \
	F(state_slot, keyed_map, IN ", " STATE) F(state_outside, keyed_map, IN ", " STATE) F(state_huge, keyed_map, IN ", " STATE) \
	F(alloc_null, map, IN) F(alloc_outside, map, IN) F(alloc_overlapping, map, IN) F(alloc_unaligned, map, IN) F(alloc_trap, map, IN) \
	F(timer_slot, process, IN ", " STATE) F(timer_negative, process, IN ", " STATE) F(timer_domain, process, IN ", " STATE) \
	F(timer_in_map, map, IN) F(watermark_in_keyed_map, keyed_map, IN ", " STATE) F(timers_forever, process, IN ", " STATE) \
	F(list_as_value, process, IN ", " KINDS) F(value_as_list, process, IN ", " KINDS) F(list_as_map, process, IN ", " KINDS) \
	F(map_key_outside, process, IN ", " KINDS) F(map_page_outside, process, IN ", " KINDS) F(list_value_outside, process, IN ", " KINDS) \
	F(entry_huge, process, IN ", " KINDS) F(map_slot, process, IN ", " KINDS) F(list_in_keyed_map, keyed_map, IN ", " STATE) \
	F(writes_without_end, process, IN ", " KINDS) F(side_beyond, process, IN ", " KINDS) F(side_without_origins, process, IN ", " KINDS) F(side_of_map, map, IN) F(side_wild, process, IN ", " KINDS) \
	F(open_status, map, IN) F(open_error, map, IN) F(open_trap, map, IN) F(release_array, map, IN)
#define BYTES_OUT "\"out\": [{\"name\": \"s\", \"type\": \"utf8\"}]"

#define ID(name, kind, columns) id_##name,
enum { ALL(ID) };
#define JSON(name, kind, columns) ", {\"name\": \"" #name "\", \"kind\": \"" #kind "\", " columns "}"
static const char description[] = "{\"abi\": 1, \"functions\": [{\"name\": \"last\", \"kind\": \"map\"}" ALL(JSON) "]}";

static void released(ArrowArray *a) { (void)a; }
static void traps(ArrowArray *a) { (void)a, __builtin_trap(); }

#define OUTSIDE ((void *)0xfffffff0)
#define EDGE ((void *)(__builtin_wasm_memory_size(0) * 65536 - 8))

// One result of three rows that is sound until a function spoils it.
static ArrowArray root, child, item;
static ArrowArray *root_children[2], *child_children[2];
static const void *root_buffers[4], *child_buffers[4], *item_buffers[4];
static int64_t numbers[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static int32_t offsets[8], indices[8], origins[70000];
static int64_t rows_of_numbers[70000];
static uint8_t bits[8];
static int mode_of_alloc, mode_of_release, steps;
static const char *error_ptr = "";
static uint32_t error_len;
static char text[100000];

static void sound(Result *out, const ArrowArray *in) {
	int64_t rows = in->length;
	root = (ArrowArray){.length = rows, .n_buffers = 1, .n_children = 1, .buffers = root_buffers, .children = root_children, .release = released};
	child = (ArrowArray){.length = rows, .n_buffers = 2, .buffers = child_buffers, .release = released};
	item = (ArrowArray){.length = 8, .n_buffers = 2, .buffers = item_buffers, .release = released};
	root_buffers[0] = 0, root_children[0] = &child;
	child_buffers[0] = 0, child_buffers[1] = numbers, child_buffers[2] = text;
	item_buffers[0] = 0, item_buffers[1] = numbers;
	for (int i = 0; i < 8; i++) offsets[i] = i, indices[i] = 0, origins[i] = i < 3 ? i : 2, bits[i] = 0xff;
	out->array = &root;
}

static void sound_text(ArrowArray *a) { a->n_buffers = 3, a->buffers[1] = offsets; }
static void sound_list(void) {
	child.n_children = 1, child.children = child_children, child_children[0] = &item, child_buffers[1] = offsets;
}
static void sound_dictionary(void) {
	child.dictionary = &item, child_buffers[1] = indices;
	item.length = 2, item.n_buffers = 3, item_buffers[1] = offsets, item_buffers[2] = text;
}

static int32_t fails(const char *ptr, uint32_t len) {
	error_ptr = ptr, error_len = len;
	return ERROR;
}

__attribute__((noinline)) static int64_t deep(volatile int64_t n) { return n == -1 ? 0 : deep(n + 1) + n; }

__attribute__((noinline)) static void turn(void);
__attribute__((noinline)) static void turn_again(void) { (*(volatile int64_t *)numbers)++, turn(), (*(volatile int64_t *)numbers)++; }
static void turn(void) { (*(volatile int64_t *)numbers)++, turn_again(), (*(volatile int64_t *)numbers)++; }

// Doubles at each of 60 levels, without a loop.
__attribute__((noinline)) static void doubling(volatile int n) {
	if (n > 0) doubling(n - 1), doubling(n - 1);
}

static int32_t keyed(int fn) {
	while (fn == id_state_forever) state_put(0, 0, text, 100000);
	if (fn == id_state_index) state_get(1, 0, text, 8);
	if (fn == id_state_slot) state_delete(0, 99);
	if (fn == id_state_outside) state_put(0, 0, OUTSIDE, 100);
	if (state_put(0, 0, (void *)64, (1 << 20) + 1) == 1) return fails("the value was refused", 21);
	return OK;
}

static int32_t spoil(int fn, const ArrowArray *in, Result *out) {
	sound(out, in);
	switch (fn) {
	case id_status_7: return 7;
	case id_status_negative: return -1;
	case id_array_outside: out->array = OUTSIDE; break;
	case id_array_at_the_end: out->array = EDGE; break;
	case id_array_unaligned: out->array = (ArrowArray *)((char *)&root + 1); break;
	case id_no_array: out->array = 0; break;
	case id_null_release: root.release = 0; break;
	case id_child_release: child.release = 0; break;
	case id_buffer_outside: child_buffers[1] = OUTSIDE; break;
	case id_buffers_outside: child.buffers = OUTSIDE; break;
	case id_children_outside: root.children = OUTSIDE; break;
	case id_child_null: root_children[0] = 0; break;
	case id_buffer_null: child_buffers[1] = 0; break;
	case id_negative_length: root.length = -1; break;
	case id_negative_child_length: child.length = -1; break;
	case id_huge_length: root.length = child.length = 1ll << 62; break;
	case id_short_child: child.length = 1; break;
	case id_negative_offset: child.offset = -1; break;
	case id_huge_offset: child.offset = 1ll << 62; break;
	case id_root_offset: root.offset = 1ll << 62; break;
	case id_negative_buffers: child.n_buffers = -1; break;
	case id_three_buffers: child.n_buffers = 3; break;
	case id_no_children: root.n_children = 0; break;
	case id_many_children: root.n_children = 1 << 30; break;
	case id_null_count_wrong: child.null_count = 2; break;
	case id_huge_null_count: child.null_count = 1ll << 62, child_buffers[0] = bits; break;
	case id_nulls_promised: child.null_count = -1, child_buffers[0] = bits, bits[0] = 5; break;
	case id_validity_outside: child_buffers[0] = OUTSIDE; break;
	case id_falling_offsets: sound_text(&child), offsets[1] = 5; break;
	case id_negative_offsets: sound_text(&child), offsets[0] = -1; break;
	case id_data_outside: sound_text(&child), offsets[3] = 0x7fffffff; break;
	case id_cyclic_child: sound_list(), child_children[0] = &child; break;
	case id_list_beyond_child: sound_list(), offsets[3] = 9; break;
	case id_list_falling: sound_list(), offsets[2] = 0; break;
	case id_no_dictionary: child_buffers[1] = indices; break;
	case id_index_beyond: sound_dictionary(), indices[1] = 2; break;
	case id_index_negative: sound_dictionary(), indices[1] = -1; break;
	case id_map_fewer: case id_flat_without_origins: root.length = child.length = 2; break;
	case id_map_more: root.length = child.length = 4; break;
	case id_map_origins: out->origins = origins; break;
	case id_filter_short: case id_scalar_short: root.length = child.length = 1; break;
	case id_origins_wild: out->origins = origins, origins[2] = 99; break;
	case id_origins_negative: out->origins = origins, origins[0] = -1; break;
	case id_origins_falling: out->origins = origins, origins[0] = 1, origins[1] = 0; break;
	case id_origins_outside: out->origins = OUTSIDE; break;
	case id_origins_fall_between_steps: out->origins = origins; return MORE;
	case id_origins_in_some_steps: out->origins = origins; return MORE;
	case id_partial_2: out->origins = origins, out->partial = 2; return MORE;
	case id_partial_last: out->origins = origins, out->partial = 1; break;
	case id_partial_map: out->partial = 1; return MORE;
	case id_partial_unsaid: out->origins = origins; return MORE;
	case id_row_beyond: out->row = 99; return fails("bad", 3);
	case id_row_negative: out->row = -2; return fails("bad", 3);
	case id_error_outside: return fails(OUTSIDE, 100);
	case id_error_empty: return fails("", 0);
	case id_error_binary: out->row = 1; return fails("\033[31mred\xff\r\n\ta second line\001\n", 27);
	case id_error_long: for (uint32_t i = 0; i < sizeof text; i++) text[i] = 'x'; return fails(text, sizeof text);
	case id_side_count: out->side_count = 1; break;
	case id_trap: __builtin_trap();
	case id_trap_in_next: return MORE;
	case id_trap_in_release: mode_of_release = fn; break;
	case id_stack_overflow: numbers[0] = deep(0); break;
	case id_recursion: turn(); break;
	case id_division: numbers[0] = 7 / (*(volatile int64_t *)numbers - 1); break;
	case id_call_outside: ((void (*)(ArrowArray *))0x7fffffff)(&root); break;
	case id_leave: proc_exit(3); break;
	case id_grow: __builtin_wasm_memory_grow(0, 100); break;
	case id_memory_hungry: while (__builtin_wasm_memory_grow(0, 256) != (size_t)-1); __builtin_trap();
	case id_too_many_rows: root.length = child.length = 70000, child_buffers[1] = rows_of_numbers, out->origins = origins; break;
	case id_more_forever: out->array = 0; return MORE;
	case id_spin: for (;;) numbers[0] = *(volatile int64_t *)numbers + 1;
	case id_nap: {
		static uint64_t subscription[6] = {0, 0, 1, 3600000000000ull, 0, 0}, event[4];
		uint32_t n;
		poll_oneoff(subscription, event, 1, &n);
		break;
	}
	case id_calls: doubling(60); break;
	case id_random_forever: for (;;) random_get(text, 1);
	case id_random_large: for (__builtin_wasm_memory_grow(0, 3000);;) random_get((void *)0x100000, 3000 << 16);
	case id_print_forever:
	case id_print_lines: {
		static struct { const char *at; uint32_t size; } vectors[1024];
		uint32_t n;
		for (int i = 0; i < 1024; i++) vectors[i].at = text, vectors[i].size = sizeof text;
		for (uint32_t i = 0; fn == id_print_lines && i < sizeof text; i++) text[i] = '\n';
		for (;;) fd_write(2, vectors, 1024, &n);
	}
	case id_log_forever: for (;;) host_log(0, text, sizeof text);
	case id_metric_forever: for (;;) host_metric("m", 1, 1);
	case id_yield_forever: for (;;) sched_yield();
	case id_poll_forever: {
		static uint64_t subscriptions[1024][6], events[1024][4];
		uint32_t n;
		for (;;) poll_oneoff(subscriptions, events, 1024, &n);
	}
	case id_writes_input: sound_text(&child), ((int32_t *)in->children[0]->buffers[1])[1] = 0x7fffffff; break;
	case id_log_outside: host_log(0, OUTSIDE, 100); break;
	case id_log_flood: for (int i = 0; i < 5000; i++) host_log(4, "flood", 5); break;
	case id_metric_long: host_metric(text, 1000, 1); break;
	case id_timer_slot: timer_set(2, 0, 1); break;
	case id_timer_negative: timer_delete(-1, 1, 1); break;
	case id_timer_domain: timer_set(0, 2, 1); break;
	case id_timer_in_map: timer_set(0, 0, 1); break;
	case id_watermark_in_keyed_map: watermark(); break;
	case id_timers_forever: for (int64_t t = 0;; t++) timer_set(0, 0, t);
	case id_list_as_value: state_get(1, 0, text, 8); break;
	case id_value_as_list: list_add(0, 0, text, 8); break;
	case id_list_as_map: map_get(1, 0, text, 1, text, 8); break;
	case id_map_key_outside: map_put(2, 0, OUTSIDE, 100, text, 1); break;
	case id_map_page_outside: map_next(2, 0, 0, 0xffffffff, OUTSIDE, 100); break;
	case id_list_value_outside: list_add(1, 0, OUTSIDE, 100); break;
	case id_entry_huge: if (map_put(2, 0, text, 1, 0, 1 << 20)) return fails("the entry was refused", 21); break;
	case id_map_slot: map_get(2, 7, text, 1, text, 8); break;
	case id_list_in_keyed_map: list_get(0, 0, text, 8); break;
	case id_writes_without_end: __builtin_wasm_memory_grow(0, 16); for (;;) list_add(1, 0, 0, 1 << 20);
	case id_side_beyond: out->side = 2, out->origins = origins; break;
	case id_side_without_origins: out->side = 1; break;
	case id_side_of_map: out->side = 1; break;
	case id_side_wild: out->side = 0xffffffff, out->origins = origins; break;
	case id_state_in_map: state_get(0, 0, text, 8); break;
	case id_state_index: case id_state_slot: case id_state_outside: case id_state_huge: case id_state_forever: return keyed(fn);
	case id_alloc_null: case id_alloc_outside: case id_alloc_overlapping: case id_alloc_unaligned: case id_alloc_trap: mode_of_alloc = fn; break;
	case id_release_array: root.release = traps; break;
	}
	return OK;
}

EXPORT(wasmill_abi_v1) int32_t abi(void) { return 1; }

EXPORT(wasmill_alloc) void *alloc(uint32_t size, uint32_t align) {
	static void *previous;
	(void)align;
	switch (mode_of_alloc) {
	case id_alloc_null: return 0;
	case id_alloc_outside: return (void *)0xffff0000;
	case id_alloc_overlapping: __builtin_wasm_memory_grow(0, 1024); return previous;
	case id_alloc_unaligned: return (char *)take(size + 1) + 1;
	case id_alloc_trap: __builtin_trap();
	}
	return previous = take(size);
}

EXPORT(wasmill_free) void free_block(void *b, uint32_t size, uint32_t align) { (void)align, give(b, size); }
EXPORT(wasmill_error) uint64_t error(void) { return PAIR(error_ptr, error_len); }
EXPORT(wasmill_describe) uint64_t describe(void) {
	mode_of_alloc = mode_of_release = -1;
	return PAIR(description, sizeof description - 1);
}

EXPORT(wasmill_open) int32_t open(int32_t fn, ArrowSchema *schema, const char *config, uint32_t len) {
	(void)schema, (void)config, (void)len;
	switch (fn - 1) {
	case id_open_status: return 9;
	case id_open_error: return fails("the configuration is wrong\nat line 1", 36);
	case id_open_trap: __builtin_trap();
	}
	return OK;
}

EXPORT(wasmill_call) int32_t call(int32_t fn, const ArrowArray *in, Result *out) {
	steps = 0;
	return spoil(fn - 1, in, out);
}

EXPORT(wasmill_timers) int32_t timers(int32_t fn, const ArrowArray *in, Result *out) { return call(fn, in, out); }

EXPORT(wasmill_next) int32_t next(int32_t fn, Result *out) {
	steps++;
	switch (fn - 1) {
	case id_more_forever: return MORE;
	case id_trap_in_next: __builtin_trap();
	case id_origins_fall_between_steps: out->array = &root, out->origins = origins; return OK;
	case id_origins_in_some_steps: out->array = &root; return OK;
	case id_partial_unsaid: out->array = &root, out->origins = origins + 2; return OK;
	}
	return OK;
}

EXPORT(wasmill_release) void release(ArrowArray *a) {
	(void)a;
	if (mode_of_release == id_trap_in_release) __builtin_trap();
}
