// operate, the process function of the kit: it does what its rows say.

IMPORT(state_delete) int32_t state_delete(int32_t state, int32_t slot);
IMPORT(list_add) int32_t list_add(int32_t state, int32_t slot, const void *ptr, uint32_t len);
IMPORT(list_get) int64_t list_get(int32_t state, int32_t slot, void *ptr, uint32_t cap);
IMPORT(map_get) int64_t map_get(int32_t state, int32_t slot, const void *key, uint32_t key_len, void *ptr, uint32_t cap);
IMPORT(map_put) int32_t map_put(int32_t state, int32_t slot, const void *key, uint32_t key_len, const void *ptr, uint32_t len);
IMPORT(map_remove) int32_t map_remove(int32_t state, int32_t slot, const void *key, uint32_t key_len);
IMPORT(map_next) int64_t map_next(int32_t state, int32_t slot, const void *key, uint32_t key_len, void *ptr, uint32_t cap);
IMPORT(timer_set) void timer_set(int32_t slot, int32_t domain, int64_t time);
IMPORT(timer_delete) void timer_delete(int32_t slot, int32_t domain, int64_t time);
IMPORT(watermark) int64_t watermark(void);
IMPORT(now) int64_t now(void);

enum { LAST, BRIEF, SUM, LIST, MAP };
enum { LINES, ODDS, WORDS, OUTPUTS }; // the results, and the side outputs in the order of their declaration
enum { STEP = 65000 };

// Rows are what an output has of a call. Lines have a text, odds a number, words both. They are handed out in steps.
typedef struct {
	int32_t *origins, *offsets;
	int64_t *ns;
	char *text;
	uint32_t rows, room, size, space, given;
	const void *buffers[3][3], *none[1];
	ArrowArray root, columns[2], *places[2];
} Rows;
static Rows outputs[OUTPUTS];

static void *grown(void *old, uint32_t was, uint32_t size) {
	void *p = take(size);
	if (!p) __builtin_trap();
	memcpy_(p, old, was);
	if (old) give(old, was);
	return p;
}

static void say(Rows *o, const char *text, uint32_t len) { // adds to the text of the row that is next
	if (o->space - o->size < len) {
		uint32_t space = 2 * (o->size + len) + 64;
		o->text = grown(o->text, o->space, space), o->space = space;
	}
	memcpy_(o->text + o->size, text, len), o->size += len;
}

static void row(Rows *o, int32_t origin, int64_t n) { // ends it
	if (o->rows + 1 >= o->room) {
		uint32_t room = 2 * o->room + 64;
		o->origins = grown(o->origins, 4 * o->room, 4 * room), o->offsets = grown(o->offsets, 4 * o->room, 4 * room);
		o->ns = grown(o->ns, 8 * o->room, 8 * room), o->room = room;
	}
	o->offsets[0] = 0, o->origins[o->rows] = origin, o->ns[o->rows] = n, o->offsets[++o->rows] = (int32_t)o->size;
}

static uint32_t digits(char *to, int64_t n) { // 20 bytes at most
	char turned[20];
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	uint32_t count = 0, at = 0;
	do turned[count++] = (char)('0' + left % 10), left /= 10;
	while (left);
	if (n < 0) to[at++] = '-';
	while (count) to[at++] = turned[--count];
	return at;
}

static void words(const char *text) { say(&outputs[LINES], text, length(text)); }
static void number(int64_t n) {
	char text[24];
	say(&outputs[LINES], text, digits(text, n));
}
static void maybe(int there, int64_t n) {
	if (there) number(n);
	else words("none");
}

// next_step hands out what there is, one output after the other.
static int32_t next_step(Result *out) {
	int more = 0;
	for (int i = 0; i < OUTPUTS; i++) {
		Rows *o = &outputs[i];
		if (o->given == o->rows) continue;
		if (out->array) {
			more = 1;
			break;
		}
		uint32_t n = o->rows - o->given < STEP ? o->rows - o->given : STEP;
		o->root = (ArrowArray){.length = n, .n_buffers = 1, .n_children = 1 + (i == WORDS), .buffers = o->none, .children = o->places, .release = released};
		int columns = 0;
		if (i != ODDS) {
			o->buffers[0][1] = o->offsets, o->buffers[0][2] = o->text, o->places[columns] = &o->columns[columns];
			o->columns[columns++] = (ArrowArray){.length = n, .offset = o->given, .n_buffers = 3, .buffers = o->buffers[0], .release = released};
		}
		if (i != LINES) {
			o->buffers[1][1] = o->ns, o->places[columns] = &o->columns[columns];
			o->columns[columns] = (ArrowArray){.length = n, .offset = o->given, .n_buffers = 2, .buffers = o->buffers[1], .release = released};
		}
		out->array = &o->root, out->origins = o->origins + o->given, out->side = (uint32_t)i;
		if (o->given += n, o->given < o->rows) more = 1;
	}
	return more ? MORE : OK;
}

static void begin(void) {
	for (int i = 0; i < OUTPUTS; i++) outputs[i].rows = outputs[i].size = outputs[i].given = 0;
}

// list_values returns the numbers of the list of a slot. They lie in their own block until the next call.
static int64_t *list_values(int32_t slot, uint32_t *count) {
	static char *block;
	static uint32_t size;
	int64_t n = list_get(LIST, slot, block, size);
	if (n > size) block = grown(block, 0, (uint32_t)n), size = (uint32_t)n, list_get(LIST, slot, block, size);
	int64_t *values = (int64_t *)(void *)block;
	*count = n < 0 ? 0 : (uint32_t)n / 12;
	for (uint32_t i = 0; i < *count; i++) { // a length of 4 bytes stands before each: values move to the front
		char one[8];
		memcpy_(one, block + 12 * i + 4, 8), memcpy_(block + 8 * i, one, 8);
	}
	return values;
}

static void entries(int32_t slot, int shown) {
	static char page[512], last[64];
	uint32_t size = (uint32_t)-1, lengths[2];
	int64_t count = 0, sum = 0, n, v;
	words("entries");
	while ((n = map_next(MAP, slot, last, size, page, sizeof page)) > 0) {
		for (int64_t at = 0; at < n; at += 8 + lengths[0] + lengths[1]) {
			memcpy_(lengths, page + at, 8), memcpy_(&v, page + at + 8 + lengths[0], 8);
			memcpy_(last, page + at + 8, size = lengths[0]);
			count++, sum += v;
			if (shown) words(" "), say(&outputs[LINES], last, size), words("="), number(v);
		}
	}
	if (!shown) words(" "), number(count), words(" "), number(sum);
}

static int is(const char *text, uint32_t len, const char *name) {
	if (length(name) != len) return 0;
	for (uint32_t i = 0; i < len; i++)
		if (text[i] != name[i]) return 0;
	return 1;
}

static int32_t operate(const ArrowArray *in, Result *out) {
	const ArrowArray *ops = in->children[0], *keys = in->children[1], *ns = in->children[2], *times = in->children[3], *numbers = in->children[4];
	const int32_t *op_at = (const int32_t *)ops->buffers[1] + ops->offset, *key_at = (const int32_t *)keys->buffers[1] + keys->offset;
	const int32_t *slots = (const int32_t *)numbers->buffers[1] + numbers->offset;
	begin();
	for (int32_t i = 0; i < in->length; i++) {
		const char *op = (const char *)ops->buffers[2] + op_at[i], *key = (const char *)keys->buffers[2] + key_at[i];
		uint32_t op_len = (uint32_t)(op_at[i + 1] - op_at[i]), key_len = (uint32_t)(key_at[i + 1] - key_at[i]);
		int64_t v = 0, n = valid(ns, i) ? value(ns, i) : 0;
		int32_t slot = slots[i], domain = is(key, key_len, "processing");
		int said = 1;
		if (is(op, op_len, "last") || is(op, op_len, "brief")) {
			int32_t state = is(op, op_len, "last") ? LAST : BRIEF;
			say(&outputs[LINES], op, op_len), words(" "), maybe(state_get(state, slot, &v, 8) == 8, v);
			if (valid(ns, i)) state_put(state, slot, &n, 8);
			else state_delete(state, slot);
		} else if (is(op, op_len, "sum")) {
			if (state_get(SUM, slot, &v, 8) == 8) n += v;
			state_put(SUM, slot, &n, 8), words("sum "), number(n);
		} else if (is(op, op_len, "list")) {
			uint32_t count;
			const int64_t *values = list_values(slot, &count);
			words("list");
			for (uint32_t k = 0; k < count; k++) words(" "), number(values[k]);
		} else if (is(op, op_len, "get")) {
			words("get "), maybe(map_get(MAP, slot, key, key_len, &v, 8) == 8, v);
		} else if (is(op, op_len, "entries") || is(op, op_len, "sum entries")) {
			entries(slot, is(op, op_len, "entries"));
		} else if (is(op, op_len, "clock")) {
			words("time "), maybe(valid(times, i), value(times, i)), words(" watermark "), number(watermark()), words(" now "), number(now());
		} else {
			said = 0;
			if (is(op, op_len, "add")) list_add(LIST, slot, &n, 8);
			if (is(op, op_len, "update")) v = n + 1, state_delete(LIST, slot), list_add(LIST, slot, &n, 8), list_add(LIST, slot, &v, 8);
			if (is(op, op_len, "clear")) state_delete(LIST, slot), state_delete(MAP, slot);
			if (is(op, op_len, "put")) map_put(MAP, slot, key, key_len, &n, 8);
			if (is(op, op_len, "remove")) map_remove(MAP, slot, key, key_len);
			if (is(op, op_len, "fill"))
				for (char name[32]; v < n; v++) {
					memcpy_(name, key, key_len);
					map_put(MAP, slot, name, key_len + digits(name + key_len, 100000 + v), &v, 8);
				}
			if (is(op, op_len, "set")) timer_set(slot, domain, n);
			if (is(op, op_len, "delete")) timer_delete(slot, domain, n);
			if (is(op, op_len, "aside")) {
				if (n & 1) row(&outputs[ODDS], i, n);
				say(&outputs[WORDS], key, key_len), row(&outputs[WORDS], i, n);
			}
			if (is(op, op_len, "flood"))
				for (; v < n; v++) words("x"), row(&outputs[LINES], i, 0), row(&outputs[ODDS], i, v);
			if (is(op, op_len, "fail")) {
				error_text = "as asked", out->row = i;
				return ERROR;
			}
		}
		if (said) row(&outputs[LINES], i, 0);
	}
	return next_step(out);
}

EXPORT(wasmill_timers) int32_t timers(int32_t fn, const ArrowArray *in, Result *out) {
	const ArrowArray *times = in->children[0], *domains = in->children[1], *numbers = in->children[2];
	const int32_t *slots = (const int32_t *)numbers->buffers[1] + numbers->offset;
	(void)fn, begin();
	for (int32_t i = 0; i < in->length; i++) {
		int processing = ((const int8_t *)domains->buffers[1])[domains->offset + i];
		const char *name = processing ? "processing" : "event";
		int64_t time = value(times, i), last;
		words(name), words(" "), number(time), row(&outputs[LINES], i, 0);
		list_add(LIST, slots[i], &time, 8);
		uint32_t count;
		const int64_t *values = list_values(slots[i], &count);
		if (state_get(LAST, slots[i], &last, 8) == 8)
			for (uint32_t k = 0; k < count; k++)
				if (values[k] == last) {
					static char text[64];
					memcpy_(text, "the timer of ", 13), text[13 + digits(text + 13, last)] = 0;
					error_text = text, out->row = i;
					return ERROR;
				}
		say(&outputs[WORDS], name, length(name)), row(&outputs[WORDS], i, time);
		if (processing) timer_set(slots[i], 0, time + 10);
	}
	return next_step(out);
}
