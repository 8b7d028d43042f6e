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

typedef struct { wm_result_ *array; int32_t *origins; int32_t row; uint32_t sides[2], partial, side, reserved; } wm_step_;
static int wm_step_error_(wm_step_ *out, int32_t row) {
    if (!wm_error_.size) wm_puts_(&wm_error_, "the function failed without saying why");
    return out->row = row, WM_ERROR_;
}
static void wm_follow_(wm_call *c, wm_result_ *r) { // r waits for the host behind what does
    if (c->head) c->tail->next = r; else c->head = r;
    c->tail = r, r->next = NULL;
}
static void wm_gather_(wm_call *c) { // what side outputs have waits behind the results
    for (size_t i = 0; c->fn->process && c->fn->process->sides[i]; i++) {
        wm_call *side = c->fn->process->sides[i];
        if (side->now) wm_queue_(side);
        for (wm_result_ *r = side->head, *next; r; r = next)
            if (next = r->next, r->side = i + 1, r->rows) wm_follow_(c, r); else wm_idle_(r);
        side->head = NULL;
    }
}
static void wm_drop_all_(wm_call *c) {
    wm_drop_(c);
    for (size_t i = 0; c->fn->process && c->fn->process->sides[i]; i++) wm_drop_(c->fn->process->sides[i]);
}
static int wm_run_(wm_call *c, wm_step_ *out) {
    wm_error_.size = 0;
    if (!c->head) {
        if (c->done) return wm_fail("wasmill_next was called after the last step"), wm_step_error_(out, -1);
        wm_scratch_reset_(), wm_config_ = c->config;
        int status = c->fn->run(c);
        if (status == WM_FAILED) return c->done = true, wm_drop_all_(c), wm_step_error_(out, (int32_t)c->row);
        c->done = status == WM_OK;
        wm_result_ *now = c->now;
        if (now->rows) wm_queue_(c);
        wm_gather_(c), c->now = NULL;
        if (!now->rows && c->head) wm_idle_(now);
        else if (!now->rows) wm_follow_(c, now);
    }
    wm_result_ *r = c->head;
    c->head = r->next, wm_finish_(r), out->array = r, out->side = (uint32_t)r->side;
    if (c->fn->process) out->origins = r->origins;
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
static void wm_json_process_(wm_text_ *t, const wm_process_ *p) {
    wm_puts_(t, ", \"state\": [");
    for (const wm_state_decl_ *d = p->states; d->name; d++) {
        wm_puts_(t, d == p->states ? "{\"name\": " : ", {\"name\": "), wm_json_(t, d->name);
        wm_puts_(t, ", \"kind\": "), wm_json_(t, d->kind), wm_puts_(t, ", \"type\": \"");
        if (d->type) wm_puts_(t, d->type), wm_puts_(t, ", ");
        wm_puts_(t, d->value_type), wm_puts_(t, "\"");
        if (*d->ttl) wm_puts_(t, ", \"ttl\": "), wm_json_(t, d->ttl);
        wm_puts_(t, "}");
    }
    wm_puts_(t, "], \"sides\": [");
    for (wm_call *const *side = p->sides; *side; side++) {
        wm_puts_(t, side == p->sides ? "{\"tag\": " : ", {\"tag\": "), wm_json_(t, (*side)->fn->name);
        wm_json_columns_(t, "out", (*side)->fn->out, NULL), wm_puts_(t, "}");
    }
    wm_puts_(t, "]");
}
WM_EXPORT_("wasmill_describe") uint64_t wasmill_describe(void) {
    static wm_text_ t;
    bool timed = false;
    for (size_t i = 0; i < wm_module_.n; i++) timed |= wm_module_.functions[i]->process != NULL;
    t.size = 0, wm_puts_(&t, timed ? "{\"abi\": 1, \"minor\": 1, \"name\": " : "{\"abi\": 1, \"name\": "), wm_json_(&t, wm_module_.name), wm_puts_(&t, ", \"functions\": [");
    for (size_t i = 0; i < wm_module_.n; i++) {
        const wm_function *f = wm_module_.functions[i];
        wm_puts_(&t, i ? ",\n{\"name\": " : "\n{\"name\": "), wm_json_(&t, f->name), wm_puts_(&t, ", \"kind\": "), wm_json_(&t, f->kind);
        wm_puts_(&t, ", \"doc\": "), wm_json_(&t, f->doc), wm_json_columns_(&t, "in", f->in, NULL);
        wm_json_columns_(&t, "out", f->out, f->in), wm_json_columns_(&t, "state", f->state, NULL);
        if (f->process) wm_json_process_(&t, f->process);
        wm_puts_(&t, "}");
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
        wm_drop_all_(c);
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
static void wm_timed_(wm_call *c, const wm_array_ *times, const wm_array_ *slots) {
    c->times = (wm_column){.format = "l", .width = 8}, wm_view_(&c->times, times);
    c->slots = slots->n_buffers > 1 ? (const int32_t *)slots->buffers[1] + slots->offset : NULL;
}
WM_EXPORT_("wasmill_timers") int wasmill_timers(size_t fn, const wm_array_ *in, wm_step_ *out) {
    wm_call *c = wm_calls_ && fn < wm_module_.n ? &wm_calls_[fn] : NULL;
    wm_error_.size = 0;
    if (!c || !c->fn || !c->fn->process) return wm_fail("function %zu is no process function that is open", fn), wm_step_error_(out, -1);
    wm_drop_all_(c), c->done = false, c->row = c->n_slots = 0, c->length = (size_t)in->length;
    wm_timed_(c, in->children[0], in->children[2]);
    c->domains = (const int8_t *)in->children[1]->buffers[1] + in->children[1]->offset;
    return wm_run_(c, out);
}
WM_EXPORT_("wasmill_call") int wasmill_call(size_t fn, const wm_array_ *in, wm_step_ *out) {
    wm_call *c = wm_calls_ && fn < wm_module_.n ? &wm_calls_[fn] : NULL;
    wm_error_.size = 0;
    if (!c || !c->fn) return wm_fail("function %zu is not open", fn), wm_step_error_(out, -1);
    wm_drop_all_(c), c->done = false, c->domains = NULL, c->row = c->n_slots = 0, c->length = (size_t)in->length;
    for (size_t i = 0; i < c->n_columns; i++) wm_view_(&c->columns[i], in->children[i]);
    if (c->fn->process) wm_timed_(c, in->children[c->n_columns], in->children[c->n_columns + 1]);
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
