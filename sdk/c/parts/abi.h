// ---- The ABI ---------------------------------------------------------------------------------------------------------

static wm_call *wm_calls_; // one per function

static int wm_index_(const wm_call *c, const char *name) { // which input column a "pass" column is
    for (size_t i = 0; i < c->n_columns; i++)
        if (wm_is(wm_text(c->columns[i].name), name)) return (int)i;
    return -1;
}
static void wm_finish_(wm_result_ *r) { // points the Arrow structures at what has been built
    wm_call *c = r->call;
    bool whole = r->first == 0 && r->rows == c->length;
    for (size_t i = 0; i < c->n_out; i++) {
        wm_out *o = &r->out[i];
        r->children[i] = &o->array;
        if (o->width == W_PASS_) {
            o->array = *c->columns[c->fn->any ? (int)i : wm_index_(c, c->fn->out[i].name)].array;
            o->array.offset += (int64_t)r->first;
            if (!whole && o->array.null_count) o->array.null_count = -1;
        } else {
            o->buffers[0] = o->nulls ? o->validity : NULL, o->buffers[1] = o->values, o->buffers[2] = o->data;
            o->array = (wm_array_){.null_count = (int64_t)o->nulls, .n_buffers = o->width <= W_TEXT_ ? 3 : 2, .buffers = o->buffers};
        }
        o->array.length = (int64_t)r->rows, o->array.release = 1;
    }
    static const void *none[1];
    r->array = (wm_array_){.length = (int64_t)r->rows, .n_buffers = 1, .n_children = (int64_t)c->n_out,
                           .buffers = none, .children = r->children, .release = 1};
}

typedef struct { wm_result_ *array; int32_t *origins; int32_t row; uint32_t sides[2], partial, reserved[2]; } wm_step_;
static int wm_step_error_(wm_step_ *out, int32_t row) {
    if (!wm_error_.size) wm_puts_(&wm_error_, "the function failed without saying why");
    return out->row = row, WM_ERROR_;
}
static int wm_run_(wm_call *c, wm_step_ *out) {
    wm_error_.size = 0;
    if (!c->head) {
        if (c->done) return wm_fail("wasmill_next was called after the last step"), wm_step_error_(out, -1);
        wm_scratch_reset_(), wm_config_ = c->config;
        int status = c->fn->run(c);
        if (status == WM_FAILED) return c->done = true, wm_drop_(c), wm_step_error_(out, (int32_t)c->row);
        c->done = status == WM_OK;
        if (c->now->rows || !c->head) wm_queue_(c); else wm_idle_(c->now), c->now = NULL;
    }
    wm_result_ *r = c->head;
    c->head = r->next, wm_finish_(r), out->array = r;
    if (c->fn->kind[1] == 'l' || c->fn->kind[0] == 'k') { // flat_map, keyed_map
        out->origins = r->origins;
        out->partial = c->head && c->head->origins[0] == r->origins[r->rows - 1];
    }
    return c->head || !c->done ? WM_MORE_ : WM_OK;
}

WM_EXPORT_("wasmill_abi_v1") int wasmill_abi_v1(void) { return 1; }
WM_EXPORT_("wasmill_alloc") void *wasmill_alloc(size_t size, size_t align) {
    if (align <= 64) return wm_alloc(size);
    if (align > 1u << 20 || size > 1u << 30) return NULL;
    char *p = wm_alloc(size + align), *at = p ? p + (align - (uintptr_t)p % align) : NULL; // at least 64 bytes in front
    return p ? ((char **)(void *)at)[-1] = p, at : NULL;
}
WM_EXPORT_("wasmill_free") void wasmill_free(void *p, size_t size, size_t align) {
    if (align <= 64) wm_free(p, size);
    else if (p) wm_free(((char **)p)[-1], size + align);
}
WM_EXPORT_("wasmill_error") uint64_t wasmill_error(void) { return (uint64_t)(uintptr_t)wm_error_.data << 32 | wm_error_.size; }
WM_EXPORT_("wasmill_release") void wasmill_release(void *array) { if (array) wm_idle_(array); }

static void wm_json_(wm_text_ *t, const char *s) {
    wm_puts_(t, "\"");
    for (; *s; s++) {
        if ((uint8_t)*s < 32) wm_puts_(t, "\\u"), wm_number_(t, (uint8_t)*s, 16, 4);
        else if (*s == '"' || *s == '\\') wm_puts_(t, "\\"), wm_add_(t, s, 1);
        else wm_add_(t, s, 1);
    }
    wm_puts_(t, "\"");
}
static void wm_json_columns_(wm_text_ *t, const char *what, const wm_decl_ *d, const wm_decl_ *in) {
    if (!d) return;
    wm_puts_(t, ", \""), wm_puts_(t, what), wm_puts_(t, "\": [");
    for (const wm_decl_ *first = d; d->name; d++) {
        const wm_decl_ *from = d->width == W_PASS_ ? in : NULL; // a column passed through has its input's type
        while (from && from->name && !wm_is(wm_text(from->name), d->name)) from++;
        wm_puts_(t, d == first ? "{\"name\": " : ", {\"name\": "), wm_json_(t, d->name);
        wm_puts_(t, ", \"type\": "), wm_json_(t, from ? from->name ? from->type : "pass: no such input column" : d->type);
        wm_puts_(t, "}");
    }
    wm_puts_(t, "]");
}
WM_EXPORT_("wasmill_describe") uint64_t wasmill_describe(void) {
    static wm_text_ t;
    t.size = 0, wm_puts_(&t, "{\"abi\": 1, \"name\": "), wm_json_(&t, wm_module_.name), wm_puts_(&t, ", \"functions\": [");
    for (size_t i = 0; i < wm_module_.n; i++) {
        const wm_function *f = wm_module_.functions[i];
        wm_puts_(&t, i ? ",\n{\"name\": " : "\n{\"name\": "), wm_json_(&t, f->name), wm_puts_(&t, ", \"kind\": "), wm_json_(&t, f->kind);
        wm_puts_(&t, ", \"doc\": "), wm_json_(&t, f->doc), wm_json_columns_(&t, "in", f->in, NULL);
        wm_json_columns_(&t, "out", f->out, f->in), wm_json_columns_(&t, "state", f->state, NULL), wm_puts_(&t, "}");
    }
    wm_puts_(&t, "\n]}");
    return (uint64_t)(uintptr_t)t.data << 32 | t.size;
}
WM_EXPORT_("wasmill_open") int wasmill_open(size_t fn, const wm_schema_ *schema, const char *config, size_t config_size) {
    wm_error_.size = 0;
    if (fn >= wm_module_.n) return wm_fail("there is no function %zu", fn), WM_ERROR_;
    if (!wm_calls_) wm_calls_ = memset(wm_must_(wm_module_.n * sizeof *wm_calls_), 0, wm_module_.n * sizeof *wm_calls_);
    wm_call *c = &wm_calls_[fn];
    const wm_function *f = wm_module_.functions[fn];
    size_t n = 0, have = (size_t)schema->n_children;
    for (; f->in && f->in[n].name; n++) {}
    if (!f->any && n != have) return wm_fail("expected %zu columns, got %zu", n, have), WM_ERROR_;
    if (c->fn) { // opened again: start anew
        wm_drop_(c);
        for (wm_result_ *r = c->idle, *next; r; r = next) next = r->next, wm_discard_(r);
        for (size_t i = 0; i < c->n_columns; i++) wm_forget_(&c->columns[i]);
        wm_free(c->columns, (c->n_columns + 1) * sizeof *c->columns), wm_free((void *)c->config.data, c->config.size);
    }
    *c = (wm_call){.fn = f, .n_columns = have, .done = true};
    c->columns = wm_must_((have + 1) * sizeof *c->columns);
    for (size_t i = 0; i < have; i++) wm_learn_(&c->columns[i], schema->children[i]);
    c->config = (wm_str){memcpy(wm_must_(config_size), config, config_size), config_size};
    c->n_out = *f->kind == 'f' && f->kind[1] == 'i' ? 1 : f->any ? have : 0;
    for (; f->out && f->out[c->n_out].name; c->n_out++)
        if (f->out[c->n_out].width == W_PASS_ && wm_index_(c, f->out[c->n_out].name) < 0)
            return wm_fail("there is no input column %s to pass through", f->out[c->n_out].name), WM_ERROR_;
    return WM_OK;
}
WM_EXPORT_("wasmill_call") int wasmill_call(size_t fn, const wm_array_ *in, wm_step_ *out) {
    wm_call *c = wm_calls_ && fn < wm_module_.n ? &wm_calls_[fn] : NULL;
    wm_error_.size = 0;
    if (!c || !c->fn) return wm_fail("function %zu is not open", fn), wm_step_error_(out, -1);
    wm_drop_(c), c->done = false, c->row = c->n_slots = 0, c->length = (size_t)in->length;
    for (size_t i = 0; i < c->n_columns; i++) wm_view_(&c->columns[i], in->children[i]);
    if (c->fn->state) {
        const wm_array_ *s = in->children[c->n_columns];
        c->slots = s->n_buffers > 1 ? (const int32_t *)s->buffers[1] + s->offset : NULL;
        for (size_t i = 0; i < c->length; i++)
            if ((size_t)c->slots[i] >= c->n_slots) c->n_slots = (size_t)c->slots[i] + 1;
    }
    return wm_run_(c, out);
}
WM_EXPORT_("wasmill_next") int wasmill_next(size_t fn, wm_step_ *out) {
    if (wm_calls_ && fn < wm_module_.n && wm_calls_[fn].fn) return wm_run_(&wm_calls_[fn], out);
    return wm_fail("function %zu is not open", fn), wm_step_error_(out, -1);
}

#endif
