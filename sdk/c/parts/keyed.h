// ---- State -----------------------------------------------------------------------------------------------------------
// A key's state is fetched when the first row of the batch touches it, and what has changed is stored at the end of the step.

WM_FN_ int wm_fetch_(size_t state, int32_t slot, void *value, size_t size, bool text, bool *stored) {
    wm_str *s = value;
    int64_t n = wm_state_get_(state, slot, text ? NULL : value, text ? 0 : size);
    if ((*stored = n >= 0) && text) s->data = wm_scratch((size_t)n), s->size = (size_t)n, wm_state_get_(state, slot, (void *)s->data, s->size);
    return n < 0 || text || (size_t)n == size ? 0 : wm_fail("state %zu holds %lld bytes, expected %zu", state, n, size);
}
WM_FN_ int wm_save_(size_t state, int32_t slot, const void *now, const void *old, size_t size, bool text, bool gone, bool stored) {
    const wm_str *s = now;
    if (gone) return stored ? wm_state_delete_(state, slot) : 0;
    if (stored && (text ? wm_same(*s, *(const wm_str *)old) : !memcmp(now, old, size))) return 0;
    if (!wm_state_put_(state, slot, text ? s->data : now, text ? s->size : size)) return 0;
    return wm_fail("state %zu: a value of %zu bytes was refused", state, text ? s->size : size);
}
#define WM_FETCH_(type, name, ...)                                                                                        \
    if (wm_fetch_(i_++, slot, &s->now.name, sizeof s->now.name, wm_w_##type == W_TEXT_, &s->stored.name)) return WM_FAILED; \
    s->now.is_new &= !s->stored.name;
#define WM_SAVE_(type, name, ...)                                                                                         \
    if (wm_save_(i_++, slot, &s->now.name, &s->old.name, sizeof s->now.name, wm_w_##type == W_TEXT_, s->now.is_new, s->stored.name)) \
        return WM_FAILED;

// WM_KEYED_MAP(name, doc, IN, OUT, STATE) { state->sum += in->delay; … emit(out); return WM_OK; } is a WM_FLAT_MAP with
// state of the row's key: 0 and "" with state->is_new set when there is none, and deleted when the body sets state->remove.
#define WM_KEYED_MAP(name, doc, IN, OUT, STATE)                                                                           \
    WM_IN_(name, IN) WM_OUT_(name, OUT) WM_EMIT_(name, OUT)                                                               \
    struct name##_state { STATE(WM_FIELD_) bool is_new, remove; };                                                        \
    static const wm_decl_ name##_state_[] = {STATE(WM_DECL_){0}};                                                         \
    struct name##_slot_ { struct name##_state now, old; struct { STATE(WM_FLAG_) } stored; bool loaded; };                \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, struct name##_state *state,            \
                               void (*emit)(const struct name##_out *));                                                  \
    static int name##_load_(struct name##_slot_ *s, int32_t slot) {                                                       \
        size_t i_ = 0;                                                                                                    \
        s->loaded = s->now.is_new = true;                                                                                 \
        STATE(WM_FETCH_)                                                                                                  \
        return s->old = s->now, WM_OK;                                                                                    \
    }                                                                                                                     \
    static int name##_save_(struct name##_slot_ *s, int32_t slot) {                                                       \
        size_t i_ = 0;                                                                                                    \
        STATE(WM_SAVE_)                                                                                                   \
        return WM_OK;                                                                                                     \
    }                                                                                                                     \
    static int name##_run_(wm_call *call) {                                                                               \
        WM_COLUMNS_(IN)                                                                                                   \
        int status = WM_OK;                                                                                               \
        size_t size = call->n_slots * sizeof(struct name##_slot_);                                                        \
        struct name##_slot_ *slots = memset(wm_scratch(size), 0, size);                                                   \
        name##_call_ = call, wm_take_(call, call->length);                                                                \
        for (size_t row = call->row; row < call->length; row++) {                                                         \
            WM_ROW_(name, IN)                                                                                             \
            struct name##_out out = {0};                                                                                  \
            int32_t slot = call->slots[row];                                                                              \
            struct name##_slot_ *s = &slots[slot];                                                                        \
            if (!s->loaded && name##_load_(s, slot)) return WM_FAILED;                                                    \
            if (name##_row_(&in, &out, &s->now, name##_emit_)) return WM_FAILED;                                          \
            if (s->now.remove) s->now = (struct name##_state){.is_new = true};                                            \
            else s->now.is_new = false;                                                                                   \
            if (call->head && row + 1 < call->length) {                                                                   \
                call->row = row + 1, status = WM_MORE_;                                                                   \
                break;                                                                                                    \
            }                                                                                                             \
        }                                                                                                                 \
        for (size_t i = 0; i < call->n_slots; i++)                                                                        \
            if (slots[i].loaded && name##_save_(&slots[i], (int32_t)i)) return call->row = (size_t)-1, WM_FAILED;         \
        return status;                                                                                                    \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, "keyed_map", false, name##_in_, name##_out_, name##_state_, name##_run_, NULL}; \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, struct name##_state *state,            \
                               void (*emit)(const struct name##_out *))

