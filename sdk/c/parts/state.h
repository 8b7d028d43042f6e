// ---- State of process functions --------------------------------------------------------------------------------------
// A handle belongs to the key of the row or the timer at hand. Text that is read lives until the row is done.

WM_IMPORT_("list_add") int wm_list_add_(size_t state, int32_t slot, const void *from, size_t size);
WM_IMPORT_("list_get") int64_t wm_list_get_(size_t state, int32_t slot, void *to, size_t cap);
WM_IMPORT_("map_get") int64_t wm_map_get_(size_t state, int32_t slot, const void *key, size_t key_size, void *to, size_t cap);
WM_IMPORT_("map_put") int wm_map_put_(size_t state, int32_t slot, const void *key, size_t key_size, const void *from, size_t size);
WM_IMPORT_("map_remove") int wm_map_remove_(size_t state, int32_t slot, const void *key, size_t key_size);
WM_IMPORT_("map_next") int64_t wm_map_next_(size_t state, int32_t slot, const void *key, size_t key_size, void *to, size_t cap);

typedef struct { const char *name, *kind, *type, *value_type, *ttl; } wm_state_decl_;
static wm_call *wm_at_;        // the call of the process function at work
static bool wm_state_failed_;  // some state could not be read or written: the row fails
WM_FN_ int32_t wm_slot_(void) { return wm_at_->slots[wm_at_->row]; }
#define WM_IS_TEXT_(v) _Generic((v), wm_str: true, default: false)

WM_FN_ wm_str wm_raw_(const void *v, size_t size, bool text) { return text ? *(const wm_str *)v : (wm_str){v, size}; }
WM_FN_ void wm_refused_(size_t state, size_t size) {
    if (!wm_state_failed_) wm_fail("state %zu: a value of %zu bytes was refused", state, size), wm_state_failed_ = true;
}
WM_FN_ bool wm_cooked_(size_t state, wm_str from, void *v, size_t size, bool text) {
    if (text) *(wm_str *)v = from;
    else if (from.size == size) memcpy(v, from.data, size);
    else if (!wm_state_failed_) wm_fail("state %zu holds %zu bytes, expected %zu", state, from.size, size), wm_state_failed_ = true;
    return !wm_state_failed_;
}
WM_FN_ bool wm_get_(size_t state, void *v, size_t size, bool text) {
    char few[64], *at = few;
    int64_t n = wm_state_get_(state, wm_slot_(), few, sizeof few);
    if (n < 0) return false;
    if (text || (size_t)n > sizeof few) at = wm_scratch((size_t)n), wm_state_get_(state, wm_slot_(), at, (size_t)n);
    return wm_cooked_(state, (wm_str){at, (size_t)n}, v, size, text);
}
WM_FN_ void wm_set_(size_t state, wm_str v) {
    if (wm_state_put_(state, wm_slot_(), v.data, v.size)) wm_refused_(state, v.size);
}
WM_FN_ void wm_append_value_(size_t state, wm_str v) {
    if (wm_list_add_(state, wm_slot_(), v.data, v.size)) wm_refused_(state, v.size);
}
WM_FN_ size_t wm_values_(size_t state, void *values, size_t size, bool text) {
    int64_t n = wm_list_get_(state, wm_slot_(), NULL, 0);
    if (n <= 0) return 0;
    char *all = wm_scratch((size_t)n), *end = all + n, *to;
    wm_list_get_(state, wm_slot_(), all, (size_t)n);
    size_t count = 0;
    uint32_t one;
    for (char *at = all; at < end; at += 4 + one) memcpy(&one, at, 4), count++;
    memcpy(values, &(char *){to = wm_scratch(count * size)}, sizeof to);
    for (char *at = all; at < end; at += 4 + one, to += size) {
        memcpy(&one, at, 4);
        if (!wm_cooked_(state, (wm_str){at + 4, one}, to, size, text)) return 0;
    }
    return count;
}
WM_FN_ bool wm_entry_(size_t state, wm_str key, void *v, size_t size, bool text) {
    char few[64], *at = few;
    int64_t n = wm_map_get_(state, wm_slot_(), key.data, key.size, few, sizeof few);
    if (n < 0) return false;
    if (text || (size_t)n > sizeof few) at = wm_scratch((size_t)n), wm_map_get_(state, wm_slot_(), key.data, key.size, at, (size_t)n);
    return wm_cooked_(state, (wm_str){at, (size_t)n}, v, size, text);
}
WM_FN_ void wm_put_(size_t state, wm_str key, wm_str v) {
    if (wm_map_put_(state, wm_slot_(), key.data, key.size, v.data, v.size)) wm_refused_(state, key.size + v.size);
}
// wm_cursor is where a walk through a map has come to; it begins as {0}.
typedef struct { char *page; size_t used, size; wm_str last; bool begun; } wm_cursor;
WM_FN_ bool wm_next_(size_t state, wm_cursor *c, void *k, size_t k_size, bool k_text, void *v, size_t v_size, bool v_text) {
    if (c->used == c->size) {
        size_t cap = 4096, from = c->begun ? c->last.size : (size_t)-1;
        c->page = wm_scratch(cap);
        int64_t n = wm_map_next_(state, wm_slot_(), c->last.data, from, c->page, cap);
        if (n < 0) c->page = wm_scratch((size_t)-n), n = wm_map_next_(state, wm_slot_(), c->last.data, from, c->page, (size_t)-n);
        c->used = 0, c->size = (size_t)n, c->begun = true;
        if (!n) return false;
    }
    uint32_t sizes[2];
    memcpy(sizes, c->page + c->used, sizeof sizes);
    c->last = (wm_str){c->page + c->used + 8, sizes[0]};
    wm_str value = {c->last.data + sizes[0], sizes[1]};
    c->used += 8 + sizes[0] + sizes[1];
    return wm_cooked_(state, c->last, k, k_size, k_text) && wm_cooked_(state, value, v, v_size, v_text);
}

// Handles are members of state. All are of one size: their numbers are filled in before the first row.
#define WM_HANDLE_(kind, K, V, name) struct { size_t kind; K *key; V *value; } name;
#define WM_H_VALUE_(type, name, ...) WM_HANDLE_(value_state, char, wm_c_##type, name)
#define WM_H_LIST_(type, name, ...) WM_HANDLE_(list_state, char, wm_c_##type, name)
#define WM_H_MAP_(key, type, name, ...) WM_HANDLE_(map_state, wm_c_##key, wm_c_##type, name)
#define WM_D_VALUE_(type, name, ...) {#name, "value", NULL, wm_t_##type, "" __VA_ARGS__},
#define WM_D_LIST_(type, name, ...) {#name, "list", NULL, wm_t_##type, "" __VA_ARGS__},
#define WM_D_MAP_(key, type, name, ...) {#name, "map", wm_t_##key, wm_t_##type, "" __VA_ARGS__},
typedef struct { size_t number; void *types[2]; } wm_handle_;
WM_FN_ void wm_number_handles_(void *state, size_t size) {
    for (size_t i = 0; i < size / sizeof(wm_handle_); i++) memcpy((char *)state + i * sizeof(wm_handle_), &i, sizeof i);
}

#define WM_TYPED_(pointer, v) __typeof__(*(pointer)) v
// Values: wm_get(state->x, &v) says whether there is one, wm_set(state->x, v) stores one.
#define wm_get(h, to) ({ WM_TYPED_((h).value, *to_) = (to); wm_get_((h).value_state, to_, sizeof *to_, WM_IS_TEXT_(*to_)); })
#define wm_set(h, v) ({ WM_TYPED_((h).value, v_) = (v); wm_set_((h).value_state, wm_raw_(&v_, sizeof v_, WM_IS_TEXT_(v_))); })
// Lists: wm_add(state->x, v) appends, wm_values(state->x, &values) returns how many there are, in wm_scratch.
#define wm_add(h, v) ({ WM_TYPED_((h).value, v_) = (v); wm_append_value_((h).list_state, wm_raw_(&v_, sizeof v_, WM_IS_TEXT_(v_))); })
#define wm_values(h, to) ({ WM_TYPED_((h).value, **to_) = (to); wm_values_((h).list_state, to_, sizeof **to_, WM_IS_TEXT_(**to_)); })
// Maps: wm_map_get(state->x, key, &v), wm_map_put(state->x, key, v), wm_map_remove(state->x, key), and in the order of the keys' bytes
// wm_cursor at = {0}; while (wm_map_next(state->x, &at, &key, &v)) ...
#define wm_map_get(h, k, to) ({ WM_TYPED_((h).key, k_) = (k); WM_TYPED_((h).value, *to_) = (to);                          \
    wm_entry_((h).map_state, wm_raw_(&k_, sizeof k_, WM_IS_TEXT_(k_)), to_, sizeof *to_, WM_IS_TEXT_(*to_)); })
#define wm_map_put(h, k, v) ({ WM_TYPED_((h).key, k_) = (k); WM_TYPED_((h).value, v_) = (v);                              \
    wm_put_((h).map_state, wm_raw_(&k_, sizeof k_, WM_IS_TEXT_(k_)), wm_raw_(&v_, sizeof v_, WM_IS_TEXT_(v_))); })
#define wm_map_remove(h, k) ({ WM_TYPED_((h).key, k_) = (k); wm_str r_ = wm_raw_(&k_, sizeof k_, WM_IS_TEXT_(k_));         \
    (void)wm_map_remove_((h).map_state, wm_slot_(), r_.data, r_.size); })
#define wm_map_next(h, at, k, to) ({ WM_TYPED_((h).key, *k_) = (k); WM_TYPED_((h).value, *to_) = (to);                    \
    wm_next_((h).map_state, (at), k_, sizeof *k_, WM_IS_TEXT_(*k_), to_, sizeof *to_, WM_IS_TEXT_(*to_)); })
// wm_clear(state->x) removes all that a state of any kind holds.
#define wm_clear(h) ((void)wm_state_delete_(((const wm_handle_ *)(const void *)&(h))->number, wm_slot_()))

