// ---- Functions -------------------------------------------------------------------------------------------------------

#define WM_ONE_(type, name, ...) +1
#define WM_FIELD_(type, name, ...) wm_c_##type name;
#define WM_FLAG_(type, name, ...) bool name;
#define WM_DECL_(type, name, ...) {#name, sizeof("" __VA_ARGS__) > 1 ? "" __VA_ARGS__ : wm_t_##type, wm_w_##type},
#define WM_LOAD_(type, name, ...) in.name = wm_##type(&c[i_], row), in.is_null.name = wm_is_null(&c[i_], row), i_++;
#define WM_SIZE_(type, name, ...) +wm_size_##type(out->name)
#define WM_STORE_(type, name, ...)                                                                                        \
    wm_store_##type(&o[i_], row, out->name);                                                                              \
    if (out->is_null.name) wm_set_null(&o[i_], row);                                                                      \
    i_++;
#define WM_INLINE_ static inline __attribute__((always_inline))

// The input: its struct, its declaration, and the columns of a call as locals.
#define WM_IN_(name, IN)                                                                                                  \
    struct name##_in { struct { IN(WM_FLAG_) } is_null; IN(WM_FIELD_) };                                                  \
    static const wm_decl_ name##_in_[] = {IN(WM_DECL_){0}};
#define WM_OUT_(name, OUT)                                                                                                \
    struct name##_out { struct { OUT(WM_FLAG_) } is_null; OUT(WM_FIELD_) };                                               \
    static const wm_decl_ name##_out_[] = {OUT(WM_DECL_){0}};
#define WM_COLUMNS_(IN)                                                                                                   \
    wm_column c[1 IN(WM_ONE_)];                                                                                           \
    memcpy(c, call->columns, sizeof c - sizeof *c);
#define WM_ROW_(name, IN)                                                                                                 \
    struct name##_in in;                                                                                                  \
    size_t i_ = 0;                                                                                                        \
    IN(WM_LOAD_)(void) i_, call->row = row;

// WM_MAP(name, doc, IN, OUT) { … return WM_OK; } makes one row of each. The body has in and out.
#define WM_MAP(name, doc, IN, OUT) WM_MAP_(name, doc, "map", IN, OUT)
// WM_SCALAR is a WM_MAP whose OUT has one column: an expression over columns.
#define WM_SCALAR(name, doc, IN, OUT) WM_MAP_(name, doc, "scalar", IN, OUT)
#define WM_MAP_(name, doc, kind, IN, OUT)                                                                                 \
    WM_IN_(name, IN) WM_OUT_(name, OUT)                                                                                   \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out);                                       \
    WM_INLINE_ size_t name##_size_(const struct name##_out *out) { return (void)out, 0 OUT(WM_SIZE_); }                   \
    WM_INLINE_ void name##_store_(wm_out *o, size_t row, const struct name##_out *out) {                                  \
        size_t i_ = 0;                                                                                                    \
        OUT(WM_STORE_)(void) i_;                                                                                          \
    }                                                                                                                     \
    static int name##_run_(wm_call *call) {                                                                               \
        WM_COLUMNS_(IN)                                                                                                   \
        size_t first = call->row, end = call->length - first > WM_STEP_ROWS ? first + WM_STEP_ROWS : call->length;        \
        wm_result_ *r = wm_take_(call, end - first);                                                                      \
        for (size_t row = first; row < end; row++) {                                                                      \
            WM_ROW_(name, IN)                                                                                             \
            struct name##_out out = {0};                                                                                  \
            if (name##_row_(&in, &out)) return WM_FAILED;                                                                 \
            if ((r->bytes += name##_size_(&out)) > 2 * WM_STEP_BYTES) return wm_fail("the row's text is above 32 MiB");   \
            name##_store_(r->out, row - first, &out), r->rows++, wm_scratch_reset_();                                     \
            if (r->bytes > WM_STEP_BYTES && row + 1 < call->length) return call->row = row + 1, WM_MORE_;                 \
        }                                                                                                                 \
        return call->row = end, end < call->length ? WM_MORE_ : WM_OK;                                                    \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, kind, false, name##_in_, name##_out_, NULL, name##_run_, NULL};          \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out)

WM_FN_ void wm_store_keep_(wm_out *o, size_t row, int keep) {
    wm_store_bool(o, row, keep > 0);
    if (keep == WM_UNKNOWN) wm_set_null(o, row);
}
// WM_FILTER(name, doc, IN) { return in->delay > 15; } keeps the rows for which it returns true.
#define WM_FILTER(name, doc, IN)                                                                                          \
    WM_IN_(name, IN)                                                                                                      \
    WM_INLINE_ int name##_row_(const struct name##_in *in);                                                               \
    static int name##_run_(wm_call *call) {                                                                               \
        WM_COLUMNS_(IN)                                                                                                   \
        wm_result_ *r = wm_take_(call, call->length);                                                                     \
        for (size_t row = 0; row < call->length; row++) {                                                                 \
            WM_ROW_(name, IN)                                                                                             \
            int keep = name##_row_(&in);                                                                                  \
            if (keep < 0 && keep != WM_UNKNOWN) return WM_FAILED;                                                                               \
            wm_store_keep_(r->out, row, keep), wm_scratch_reset_();                                                   \
        }                                                                                                                 \
        return r->rows = call->length, WM_OK;                                                                             \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, "filter", false, name##_in_, NULL, NULL, name##_run_, NULL};             \
    WM_INLINE_ int name##_row_(const struct name##_in *in)

#define WM_EMIT_(name, OUT)                                                                                               \
    static wm_call *name##_call_;                                                                                         \
    static void name##_emit_(const struct name##_out *out) {                                                              \
        size_t bytes = 0 OUT(WM_SIZE_), i_ = 0;                                                                           \
        wm_result_ *r = wm_add_row_(name##_call_, bytes);                                                                 \
        wm_out *o = r->out;                                                                                               \
        size_t row = r->rows - 1;                                                                                         \
        OUT(WM_STORE_)(void) i_;                                                                                          \
    }
// WM_FLAT_MAP(name, doc, IN, OUT) { … out->word = w, emit(out); … return WM_OK; } makes any number of rows of each.
#define WM_FLAT_MAP(name, doc, IN, OUT)                                                                                   \
    WM_IN_(name, IN) WM_OUT_(name, OUT) WM_EMIT_(name, OUT)                                                               \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, void (*emit)(const struct name##_out *)); \
    static int name##_run_(wm_call *call) {                                                                               \
        WM_COLUMNS_(IN)                                                                                                   \
        name##_call_ = call, wm_take_(call, call->length);                                                                \
        for (size_t row = call->row; row < call->length; row++) {                                                         \
            WM_ROW_(name, IN)                                                                                             \
            struct name##_out out = {0};                                                                                  \
            if (name##_row_(&in, &out, name##_emit_)) return WM_FAILED;                                                   \
            wm_scratch_reset_();                                                                                          \
            if (call->head && row + 1 < call->length) return call->row = row + 1, WM_MORE_;                               \
        }                                                                                                                 \
        return WM_OK;                                                                                                     \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, "flat_map", false, name##_in_, name##_out_, NULL, name##_run_, NULL};    \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, void (*emit)(const struct name##_out *))

