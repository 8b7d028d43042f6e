// The reference guest of the conformance kit: every function of docs/conformance.md on the bare ABI.
#include "abi.h"

IMPORT(state_get) int64_t state_get(int32_t state, int32_t slot, void *ptr, uint32_t cap);
IMPORT(state_put) int32_t state_put(int32_t state, int32_t slot, const void *ptr, uint32_t len);

static const char description[] =
	"{\"abi\": 1, \"minor\": 1, \"name\": \"reference\", \"functions\": ["
	"{\"name\": \"echo\", \"kind\": \"map\"},"
	"{\"name\": \"echo_filter_odd\", \"kind\": \"filter\", \"in\": [{\"name\": \"n\", \"type\": \"int64\"}]},"
	"{\"name\": \"dup\", \"kind\": \"flat_map\", \"in\": [{\"name\": \"n\", \"type\": \"int64\"}],"
	" \"out\": [{\"name\": \"n\", \"type\": \"int64!\"}, {\"name\": \"i\", \"type\": \"int64!\"}]},"
	"{\"name\": \"many\", \"kind\": \"flat_map\", \"in\": [{\"name\": \"n\", \"type\": \"int64\"}],"
	" \"out\": [{\"name\": \"n\", \"type\": \"int64!\"}, {\"name\": \"i\", \"type\": \"int64!\"}]},"
	"{\"name\": \"add\", \"kind\": \"scalar\", \"in\": [{\"name\": \"a\", \"type\": \"int64\"}, {\"name\": \"b\", \"type\": \"int64\"}],"
	" \"out\": [{\"name\": \"sum\", \"type\": \"int64\"}]},"
	"{\"name\": \"gcd\", \"kind\": \"scalar\", \"in\": [{\"name\": \"a\", \"type\": \"int64\"}, {\"name\": \"b\", \"type\": \"int64\"}],"
	" \"out\": [{\"name\": \"gcd\", \"type\": \"int64\"}]},"
	"{\"name\": \"upper\", \"kind\": \"scalar\", \"in\": [{\"name\": \"s\", \"type\": \"utf8\"}], \"out\": [{\"name\": \"s\", \"type\": \"utf8\"}]},"
	"{\"name\": \"fail_on_negative\", \"kind\": \"map\", \"in\": [{\"name\": \"n\", \"type\": \"int64\"}]},"
	"{\"name\": \"config\", \"kind\": \"scalar\", \"in\": [{\"name\": \"n\", \"type\": \"int64\"}], \"out\": [{\"name\": \"config\", \"type\": \"utf8!\"}]},"
	"{\"name\": \"count\", \"kind\": \"keyed_map\", \"in\": [{\"name\": \"n\", \"type\": \"int64\"}],"
	" \"out\": [{\"name\": \"n\", \"type\": \"int64\"}, {\"name\": \"count\", \"type\": \"int64!\"}],"
	" \"state\": [{\"name\": \"count\", \"type\": \"int64\"}]},"
	"{\"name\": \"farewell\", \"kind\": \"map\", \"in\": [{\"name\": \"n\", \"type\": \"int64\"}]},"
	"{\"name\": \"spin\", \"kind\": \"map\", \"in\": [{\"name\": \"n\", \"type\": \"int64\"}]},"
	"{\"name\": \"operate\", \"kind\": \"process\", \"in\": [{\"name\": \"op\", \"type\": \"utf8!\"}, {\"name\": \"key\", \"type\": \"utf8!\"},"
	" {\"name\": \"n\", \"type\": \"int64\"}], \"out\": [{\"name\": \"text\", \"type\": \"utf8!\"}], \"state\": [{\"name\": \"last\", \"type\": \"int64\"},"
	" {\"name\": \"brief\", \"type\": \"int64\", \"ttl\": \"1s\"}, {\"name\": \"sum\", \"type\": \"int64\"},"
	" {\"name\": \"list\", \"kind\": \"list\", \"type\": \"int64\"}, {\"name\": \"map\", \"kind\": \"map\", \"type\": \"utf8, int64\"}],"
	" \"sides\": [{\"tag\": \"odd\", \"out\": [{\"name\": \"n\", \"type\": \"int64!\"}]},"
	" {\"tag\": \"words\", \"out\": [{\"name\": \"word\", \"type\": \"utf8!\"}, {\"name\": \"n\", \"type\": \"int64!\"}]}]}"
	"]}";

enum { ECHO, ODD, DUP, MANY, ADD, GCD, UPPER, FAIL, CONFIG, COUNT, FAREWELL, SPIN, OPERATE, FUNCTIONS };

// A result owns all that was allocated for it, as a list that hangs on the array's private_data.
typedef struct Chunk {
	struct Chunk *next;
	uint32_t size;
} Chunk;

static void released(ArrowArray *a) { (void)a; }

static void *chunk(Chunk **list, uint32_t size) {
	Chunk *c = take(size + 64);
	if (!c) __builtin_trap();
	c->next = *list, c->size = size + 64;
	*list = c;
	return (char *)c + 64;
}

static ArrowArray *array(Chunk **list, int64_t rows, int buffers, int children) {
	ArrowArray *a = zero(chunk(list, sizeof *a), sizeof *a);
	a->length = rows, a->n_buffers = buffers, a->n_children = children;
	a->buffers = zero(chunk(list, 4 * buffers + 4), 4 * buffers + 4);
	if (children) a->children = chunk(list, 4 * children);
	a->release = released;
	return a;
}

// columns makes the struct that a step returns; what the list holds goes with it.
static ArrowArray *columns(Chunk **list, int64_t rows, int n) { return array(list, rows, 1, n); }

static void step(Result *out, Chunk **list, ArrowArray *root) {
	root->private_data = *list;
	out->array = root;
}

static int valid(const ArrowArray *a, int64_t row) {
	const uint8_t *bits = a->buffers[0];
	row += a->offset;
	return !bits || bits[row >> 3] >> (row & 7) & 1;
}

static int64_t value(const ArrowArray *a, int64_t row) { return ((const int64_t *)a->buffers[1])[a->offset + row]; }

static uint8_t *bits(Chunk **list, int64_t rows) {
	uint32_t n = (uint32_t)(rows + 7) / 8 + 1;
	return zero(chunk(list, n), n);
}

static void set(uint8_t *b, int64_t row) { b[row >> 3] |= 1 << (row & 7); }

static ArrowArray *mirror(Chunk **list, const ArrowArray *from) {
	ArrowArray *a = array(list, from->length, from->n_buffers, from->n_children);
	a->null_count = from->null_count, a->offset = from->offset;
	for (int i = 0; i < from->n_buffers; i++) a->buffers[i] = from->buffers[i];
	for (int i = 0; i < from->n_children; i++) a->children[i] = mirror(list, from->children[i]);
	if (from->dictionary) a->dictionary = mirror(list, from->dictionary);
	return a;
}

static int64_t gcd(int64_t a, int64_t b) {
	while (b) {
		int64_t t = a % b;
		a = b, b = t;
	}
	return a;
}

static const char *error_text = "";
static char *configs[FUNCTIONS];
static uint32_t config_lengths[FUNCTIONS];

static int32_t echo(const ArrowArray *in, Result *out) {
	Chunk *list = 0;
	ArrowArray *root = mirror(&list, in);
	step(out, &list, root);
	return OK;
}

static int32_t odd(const ArrowArray *in, Result *out) {
	Chunk *list = 0;
	const ArrowArray *n = in->children[0];
	ArrowArray *root = columns(&list, in->length, 1), *keep = root->children[0] = array(&list, in->length, 2, 0);
	uint8_t *validity = bits(&list, in->length), *yes = bits(&list, in->length);
	for (int64_t i = 0; i < in->length; i++) {
		if (!valid(n, i)) continue;
		set(validity, i);
		if (value(n, i) & 1) set(yes, i);
	}
	keep->buffers[0] = validity, keep->buffers[1] = yes, keep->null_count = -1;
	step(out, &list, root);
	return OK;
}

// The flat maps go on from here: row after row, and within a row copy after copy.
static const ArrowArray *source;
static int64_t at_row, at_copy;

static int64_t times(int64_t row) {
	const ArrowArray *n = source->children[0];
	return valid(n, row) && value(n, row) > 0 ? value(n, row) : 0;
}

// copies writes rows as often as they say, up to the row last and to most copies, and leaves off where the next step begins.
static void copies(Result *out, int64_t last, int64_t most) {
	int64_t rows = -at_copy;
	for (int64_t i = at_row; i < last && rows < most; i++) rows += times(i);
	if (rows > most) rows = most;
	if (rows > 0) {
		Chunk *list = 0;
		ArrowArray *root = columns(&list, rows, 2);
		ArrowArray *a = root->children[0] = array(&list, rows, 2, 0), *b = root->children[1] = array(&list, rows, 2, 0);
		int64_t *ns = chunk(&list, 8 * rows), *is = chunk(&list, 8 * rows);
		out->origins = chunk(&list, 4 * rows);
		for (int64_t at = 0; at < rows; at_copy++) {
			if (at_copy == times(at_row)) {
				at_row++, at_copy = -1;
				continue;
			}
			ns[at] = times(at_row), is[at] = at_copy, out->origins[at++] = (int32_t)at_row;
		}
		a->buffers[1] = ns, b->buffers[1] = is;
		step(out, &list, root);
		out->partial = at_copy < times(at_row);
	}
	while (at_row < last && at_copy == times(at_row)) at_row++, at_copy = 0;
}

static int32_t dup(Result *out) {
	copies(out, source->length, 65536);
	return at_row < source->length ? MORE : OK;
}

static int32_t many(Result *out) {
	if (at_row < source->length) copies(out, at_row + 1, 65536);
	return at_row < source->length ? MORE : OK;
}

static int32_t arithmetic(int fn, const ArrowArray *in, Result *out) {
	Chunk *list = 0;
	const ArrowArray *a = in->children[0], *b = in->children[1];
	ArrowArray *root = columns(&list, in->length, 1), *sum = root->children[0] = array(&list, in->length, 2, 0);
	int64_t *sums = chunk(&list, 8 * in->length + 8);
	if (!a->buffers[0] && !b->buffers[0]) {
		const int64_t *x = (const int64_t *)a->buffers[1] + a->offset, *y = (const int64_t *)b->buffers[1] + b->offset;
		if (fn == GCD)
			for (int64_t i = 0; i < in->length; i++) sums[i] = gcd(x[i], y[i]);
		else
			for (int64_t i = 0; i < in->length; i++) sums[i] = (int64_t)((uint64_t)x[i] + (uint64_t)y[i]);
	} else {
		uint8_t *validity = bits(&list, in->length);
		for (int64_t i = 0; i < in->length; i++) {
			sums[i] = 0;
			if (!valid(a, i) || !valid(b, i)) continue;
			set(validity, i);
			sums[i] = fn == GCD ? gcd(value(a, i), value(b, i)) : (int64_t)((uint64_t)value(a, i) + (uint64_t)value(b, i));
		}
		sum->buffers[0] = validity, sum->null_count = -1;
	}
	sum->buffers[1] = sums;
	step(out, &list, root);
	return OK;
}

static int32_t upper(const ArrowArray *in, Result *out) {
	Chunk *list = 0;
	const ArrowArray *s = in->children[0];
	ArrowArray *root = columns(&list, in->length, 1), *u = root->children[0] = array(&list, in->length, 3, 0);
	const int32_t *offsets = (const int32_t *)s->buffers[1] + s->offset;
	const char *text = s->buffers[2];
	int32_t *to = chunk(&list, 4 * in->length + 4), bytes = in->length ? offsets[in->length] - offsets[0] : 0, at = 0;
	char *copy = chunk(&list, bytes + 1);
	uint8_t *validity = bits(&list, in->length);
	to[0] = 0;
	for (int64_t i = 0; i < in->length; i++) {
		if (valid(s, i)) {
			set(validity, i);
			for (int32_t k = offsets[i]; k < offsets[i + 1]; k++) copy[at++] = text[k] >= 'a' && text[k] <= 'z' ? text[k] - 32 : text[k];
		}
		to[i + 1] = at;
	}
	u->buffers[0] = validity, u->buffers[1] = to, u->buffers[2] = copy, u->null_count = -1;
	step(out, &list, root);
	return OK;
}

static int32_t fail_on_negative(const ArrowArray *in, Result *out) {
	const ArrowArray *n = in->children[0];
	for (int64_t i = 0; i < in->length; i++) {
		if (valid(n, i) && value(n, i) < 0) {
			out->row = (int32_t)i;
			error_text = "the number is negative\nin fail_on_negative";
			return ERROR;
		}
	}
	return echo(in, out);
}

static int32_t config(const ArrowArray *in, Result *out) {
	Chunk *list = 0;
	uint32_t length = config_lengths[CONFIG];
	ArrowArray *root = columns(&list, in->length, 1), *u = root->children[0] = array(&list, in->length, 3, 0);
	int32_t *offsets = chunk(&list, 4 * in->length + 4);
	char *text = chunk(&list, length * in->length + 1);
	offsets[0] = 0;
	for (int64_t i = 0; i < in->length; i++) {
		memcpy_(text + i * length, configs[CONFIG], length);
		offsets[i + 1] = (int32_t)((i + 1) * length);
	}
	u->buffers[1] = offsets, u->buffers[2] = text;
	step(out, &list, root);
	return OK;
}

static int32_t count(const ArrowArray *in, Result *out) {
	Chunk *list = 0;
	const int32_t *slots = (const int32_t *)in->children[1]->buffers[1] + in->children[1]->offset;
	ArrowArray *root = columns(&list, in->length, 2), *c = root->children[1] = array(&list, in->length, 2, 0);
	int64_t *counts = chunk(&list, 8 * in->length + 8);
	root->children[0] = mirror(&list, in->children[0]);
	for (int64_t i = 0; i < in->length; i++) {
		int64_t n = 0;
		if (state_get(0, slots[i], &n, sizeof n) != sizeof n) n = 0;
		counts[i] = ++n;
		state_put(0, slots[i], &n, sizeof n);
	}
	c->buffers[1] = counts;
	step(out, &list, root);
	return OK;
}

#include "operate.h"

// spin goes on at an odd number until it is interrupted: the host sets the flag in the word.
static volatile uint32_t interrupt_flags, interrupt_value;
static uint32_t interrupt_at[5];
EXPORT(wasmill_interrupt) uint32_t *interrupt(void) {
	interrupt_at[0] = (uint32_t)(uintptr_t)&interrupt_flags, interrupt_at[1] = (uint32_t)(uintptr_t)&interrupt_value;
	interrupt_at[2] = 7, interrupt_at[3] = 4;
	return interrupt_at;
}
static int32_t spin(const ArrowArray *in, Result *out) {
	const ArrowArray *n = in->children[0];
	interrupt_flags = 0;
	for (int64_t i = 0; i < in->length; i++) {
		if (!valid(n, i) || !(value(n, i) & 1)) continue;
		while (!(interrupt_flags & 4)) {}
		out->row = (int32_t)i, error_text = interrupt_value == 7 ? "interrupted in spin" : "the value is not the one that was given";
		return ERROR;
	}
	return echo(in, out);
}

// wasmill_close says what farewell was configured with.
EXPORT(wasmill_close) int32_t close(void) {
	if (!configs[FAREWELL] || !config_lengths[FAREWELL]) return OK;
	char *text = take(config_lengths[FAREWELL] + 1);
	memcpy_(text, configs[FAREWELL], config_lengths[FAREWELL]), text[config_lengths[FAREWELL]] = 0;
	error_text = text;
	return ERROR;
}

EXPORT(wasmill_abi_v1) int32_t abi(void) { return 1; }
EXPORT(wasmill_alloc) void *alloc(uint32_t size, uint32_t align) { return align > 64 ? 0 : take(size); }
EXPORT(wasmill_free) void release_block(void *b, uint32_t size, uint32_t align) { (void)align, give(b, size); }
EXPORT(wasmill_describe) uint64_t describe(void) { return PAIR(description, sizeof description - 1); }
EXPORT(wasmill_error) uint64_t error(void) { return PAIR(error_text, length(error_text)); }
EXPORT(wasmill_noop_release) uint32_t noop(void) { return (uint32_t)(uintptr_t)released; }

EXPORT(wasmill_open) int32_t open(int32_t fn, ArrowSchema *schema, const char *text, uint32_t len) {
	(void)schema;
	if (configs[fn]) give(configs[fn], config_lengths[fn] + 1);
	configs[fn] = memcpy_(take(len + 1), text, len);
	config_lengths[fn] = len;
	return OK;
}

EXPORT(wasmill_call) int32_t call(int32_t fn, const ArrowArray *in, Result *out) {
	switch (fn) {
	case ECHO: return echo(in, out);
	case ODD: return odd(in, out);
	case DUP: source = in, at_row = at_copy = 0; return dup(out);
	case MANY: source = in, at_row = at_copy = 0; return many(out);
	case ADD:
	case GCD: return arithmetic(fn, in, out);
	case UPPER: return upper(in, out);
	case FAIL: return fail_on_negative(in, out);
	case CONFIG: return config(in, out);
	case COUNT: return count(in, out);
	case OPERATE: return operate(in, out);
	case FAREWELL: return echo(in, out);
	case SPIN: return spin(in, out);
	}
	error_text = "there is no such function";
	return ERROR;
}

EXPORT(wasmill_next) int32_t next(int32_t fn, Result *out) {
	if (fn == DUP) return dup(out);
	if (fn == MANY) return many(out);
	if (fn == OPERATE) return next_step(out);
	error_text = "there is no next step";
	return ERROR;
}

EXPORT(wasmill_release) void release(ArrowArray *a) {
	Chunk *c = a->private_data;
	while (c) {
		Chunk *following = c->next;
		give(c, c->size);
		c = following;
	}
}
