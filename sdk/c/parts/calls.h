// ---- Calls -----------------------------------------------------------------------------------------------------------

typedef struct { const char *name, *type; int width; } wm_decl_;
typedef struct wm_call {
    const struct wm_function *fn;
    size_t n_columns, n_out, length, row, n_slots; // row: the one at work, for errors
    wm_column *columns;
    wm_str config; // JSON, "" for none
    const int32_t *slots;
    wm_result_ *now, *head, *tail, *idle;
    wm_column times;        // of a process: of its rows or timers
    const int8_t *domains;  // of its timers; NULL in a call with rows
    bool done;
} wm_call;
static wm_str wm_config_;
// wm_config returns the pipeline's configuration of the function at work: JSON, empty for none.
WM_FN_ wm_str wm_config(void) { return wm_config_; }
typedef struct wm_function {
    const char *name, *doc, *kind;
    bool any;                         // takes any columns
    const wm_decl_ *in, *out, *state; // ended by a NULL name; out is NULL when the description has none
    int (*run)(wm_call *);
    const struct wm_process_ *process; // of a process function
} wm_function;
typedef struct { const char *name; size_t n; const wm_function *const *functions; } wm_module;
extern const wm_module wm_module_;
// WM_MODULE(name, &function, ...) lists what the guest offers; once, at the end.
#define WM_MODULE(name, ...)                                                                                              \
    static const wm_function *const wm_functions_[] = {__VA_ARGS__};                                                      \
    const wm_module wm_module_ = {name, sizeof wm_functions_ / sizeof *wm_functions_, wm_functions_};

static size_t wm_digits_(const char *f) {
    size_t n = 0;
    for (; *f >= '0' && *f <= '9'; f++) n = n * 10 + (size_t)(*f - '0');
    return n;
}
// Width of a value or an offset, from the format of its type.
static size_t wm_width_(const char *f) {
    switch (f[0]) {
    case 'c': case 'C': return 1;
    case 's': case 'S': return 2;
    case 'i': case 'I': case 'f': case 'u': case 'z': return 4;
    case 'l': case 'L': case 'g': case 'U': case 'Z': return 8;
    case 'd': return 16;
    case 't': return (f[1] == 'd' && f[2] == 'D') || (f[1] == 't' && (f[2] == 's' || f[2] == 'm')) ? 4 : 8;
    case '+': return f[1] == 'l' || f[1] == 'm' ? 4 : 0;
    case 'w': return wm_digits_(f + 2);
    default: return 0;
    }
}
static char *wm_keep_(const char *s) { return memcpy(wm_must_(strlen(s) + 1), s, strlen(s) + 1); }
static void wm_learn_(wm_column *c, const wm_schema_ *s) { // at open: the schema is the host's, so copy it
    size_t n = s->dictionary ? 1 : (size_t)s->n_children;
    *c = (wm_column){.name = wm_keep_(s->name ? s->name : ""), .format = wm_keep_(s->format), .nullable = s->flags & 2};
    c->n_children = n, c->width = wm_width_(c->format), c->children = wm_must_((n + 1) * sizeof *c);
    for (size_t i = 0; i < n; i++) wm_learn_(&c->children[i], s->dictionary ? s->dictionary : s->children[i]);
}
static void wm_forget_(wm_column *c) {
    for (size_t i = 0; i < c->n_children; i++) wm_forget_(&c->children[i]);
    wm_free((void *)c->name, strlen(c->name) + 1), wm_free((void *)c->format, strlen(c->format) + 1);
    wm_free(c->children, (c->n_children + 1) * sizeof *c);
}
static const uint8_t *wm_none_(size_t rows) { // a bitmap of zeros, for columns of type null
    static uint8_t *zeros;
    static size_t size;
    if (rows / 8 >= size) zeros = wm_grow_(zeros, size, rows / 8 + 64), size = rows / 8 + 64, memset(zeros, 0, size);
    return zeros;
}
static void wm_view_(wm_column *c, const wm_array_ *a) {
    c->array = a, c->length = (size_t)a->length, c->offset = (size_t)a->offset;
    c->validity = a->null_count && a->n_buffers ? a->buffers[0] : NULL;
    if (c->format[0] == 'n') c->offset = 0, c->validity = wm_none_(c->length);
    c->values = a->n_buffers > 1 && a->buffers[1] ? (const char *)a->buffers[1] + c->offset * c->width : NULL;
    c->data = a->n_buffers > 2 ? a->buffers[2] : NULL;
    if (a->dictionary) wm_view_(c->children, a->dictionary);
    else for (size_t i = 0; i < c->n_children; i++) wm_view_(&c->children[i], a->children[i]);
}

static void wm_room_to_(wm_result_ *r, size_t rows) { // makes room for this many rows
    if (rows <= r->cap) return;
    size_t old = r->cap, cap = (rows + 63) & ~(size_t)63;
    r->origins = wm_grow_(r->origins, old * 4, cap * 4);
    for (size_t i = 0; i < r->call->n_out; i++) {
        wm_out *o = &r->out[i];
        if (o->width == W_PASS_) continue;
        o->validity = wm_grow_(o->validity, old / 8, cap / 8), memset(o->validity + old / 8, 255, (cap - old) / 8);
        if (o->width == W_BITS_) o->values = wm_grow_(o->values, old / 8, cap / 8), memset(o->values + old / 8, 0, (cap - old) / 8);
        else if (o->width > 0) o->values = wm_grow_(o->values, old * (size_t)o->width, cap * (size_t)o->width);
        else { // offsets: one more than rows; 64 bytes more keep the next one's alignment
            size_t w = (size_t)-o->width;
            o->values = wm_grow_(o->values, old ? old * w + 64 : 0, cap * w + 64);
            if (!old) memset(o->values, 0, 64);
        }
        o->cap = cap;
    }
    r->cap = cap;
}
static wm_result_ *wm_take_(wm_call *c, size_t rows) { // a result to fill, with its buffers of last time
    wm_result_ *r = c->idle;
    size_t n = c->n_out;
    if (r) {
        c->idle = r->next;
    } else {
        size_t size = sizeof *r + n * sizeof(wm_out);
        r = memset(wm_must_(size), 0, size), r->call = c, r->children = wm_must_((n + 1) * sizeof *r->children);
        for (size_t i = 0; i < n; i++) {
            int w = c->fn->out ? c->fn->out[i].width : *c->fn->kind == 'f' ? W_BITS_ : W_PASS_;
            r->out[i].width = w == W_SIZED_ ? (int)wm_digits_(c->fn->out[i].type + sizeof "fixed_size_binary") : w;
        }
    }
    r->next = NULL, r->rows = r->bytes = 0, r->first = c->row;
    for (size_t i = 0; i < n; i++) {
        wm_out *o = &r->out[i];
        if (o->nulls) memset(o->validity, 255, o->cap / 8);
        if (o->width == W_BITS_ && o->cap) memset(o->values, 0, o->cap / 8);
        o->size = o->nulls = 0, o->bytes = NULL, o->array.length = 0;
    }
    return wm_room_to_(r, rows ? rows : 1), c->now = r;
}
static void wm_idle_(wm_result_ *r) { r->next = r->call->idle, r->call->idle = r; }
static void wm_discard_(wm_result_ *r) { // gives all that a result holds back
    for (size_t i = 0; i < r->call->n_out; i++) {
        wm_out *o = &r->out[i];
        size_t w = o->width < 0 ? (size_t)-o->width : (size_t)o->width;
        if (o->width == W_PASS_) continue;
        wm_free(o->validity, o->cap / 8), wm_free(o->data, o->data_cap);
        wm_free(o->values, o->width == W_BITS_ ? o->cap / 8 : o->cap * w + (o->width < 0 ? 64 : 0));
    }
    wm_free(r->origins, r->cap * 4), wm_free(r->children, (r->call->n_out + 1) * sizeof *r->children);
    wm_free(r, sizeof *r + r->call->n_out * sizeof(wm_out));
}
static void wm_queue_(wm_call *c) { // the current result is full: it waits for the host
    if (c->head) c->tail->next = c->now; else c->head = c->now;
    c->tail = c->now, c->now = NULL;
}
static void wm_drop_(wm_call *c) { // a new call, or an error: what was not handed out is not wanted
    for (wm_result_ *r = c->head, *next; r; r = next) next = r->next, wm_idle_(r);
    if (c->now) wm_idle_(c->now);
    c->head = c->now = NULL;
}
// wm_add_row_ returns the place for one more row of an output with bytes of text.
WM_FN_ wm_result_ *wm_add_row_(wm_call *c, size_t bytes) {
    if (c->now->rows == WM_STEP_ROWS || (c->now->rows && c->now->bytes + bytes > WM_STEP_BYTES)) wm_queue_(c), wm_take_(c, 1024);
    if (c->now->rows == c->now->cap) wm_room_to_(c->now, c->now->cap * 2);
    c->now->bytes += bytes, c->now->origins[c->now->rows++] = (int32_t)c->row;
    return c->now;
}

