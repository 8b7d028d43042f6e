// ---- Vectorised functions --------------------------------------------------------------------------------------------

#define WM_VFIELD_(type, name, ...) wm_v_##type name;
#define WM_VCOLUMN_(type, name, ...) const wm_column *name;
#define WM_OFIELD_(type, name, ...) wm_o_##type name;
#define WM_OCOLUMN_(type, name, ...) wm_out *name;
#define WM_VLOAD_(type, name, ...) in.name = wm_vin_##type(&c[i_]), in.column.name = &c[i_], i_++;
#define WM_OLOAD_(type, name, ...) out.name = wm_vout_##type(&o[k_]), out.column.name = &o[k_], k_++;
#define WM_KEEP_(COLUMN) COLUMN(bool, keep)
// WM_MAP_V, WM_SCALAR_V, WM_FILTER_V get whole columns: n rows, in->x and out->x are arrays of numbers (out->x of bool, too);
// other columns are wm_column and wm_out, as are in->column.x and out->column.x of every column. A filter sets out->keep[i].
#define WM_MAP_V(name, doc, IN, OUT) WM_VECTOR_(name, doc, "map", IN, OUT, name##_out_)
#define WM_SCALAR_V(name, doc, IN, OUT) WM_VECTOR_(name, doc, "scalar", IN, OUT, name##_out_)
#define WM_FILTER_V(name, doc, IN) WM_VECTOR_(name, doc, "filter", IN, WM_KEEP_, NULL)
#define WM_VECTOR_(name, doc, kind, IN, OUT, out_decl)                                                                    \
    struct name##_in { IN(WM_VFIELD_) struct { IN(WM_VCOLUMN_) } column; };                                               \
    struct name##_out { OUT(WM_OFIELD_) struct { OUT(WM_OCOLUMN_) } column; };                                            \
    static const wm_decl_ name##_in_[] = {IN(WM_DECL_){0}};                                                               \
    static const wm_decl_ name##_out_[] __attribute__((unused)) = {OUT(WM_DECL_){0}};                                     \
    static int name##_all_(size_t n, const struct name##_in *in, struct name##_out *out);                                 \
    static int name##_run_(wm_call *call) {                                                                               \
        wm_column *c = call->columns;                                                                                     \
        wm_out *o = wm_take_(call, call->length)->out;                                                                    \
        struct name##_in in;                                                                                              \
        struct name##_out out;                                                                                            \
        size_t i_ = 0, k_ = 0;                                                                                            \
        IN(WM_VLOAD_) OUT(WM_OLOAD_)(void) i_, (void)k_, (void)c, (void)o;                                                \
        call->row = (size_t)-1;                                                                                           \
        return name##_all_(call->length, &in, &out) ? WM_FAILED : wm_whole_(call);                                        \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, kind, false, name##_in_, out_decl, NULL, name##_run_, NULL};             \
    static int name##_all_(size_t n, const struct name##_in *in, struct name##_out *out)

WM_FN_ int wm_whole_(wm_call *call) { // takes over what a vectorised function has put in its columns
    wm_result_ *r = call->now;
    r->rows = call->length, r->first = 0;
    for (size_t i = 0; i < call->n_out; i++) {
        wm_out *o = &r->out[i];
        for (size_t row = 0; o->bytes && row < r->rows; row++) wm_store_bool(o, row, o->bytes[row]);
        bool appended = o->width <= W_TEXT_ || o->array.length > 0;
        if (appended && (size_t)o->array.length != r->rows)
            return wm_fail("column %s has %lld values for %zu rows", call->fn->out[i].name, o->array.length, r->rows);
    }
    return WM_OK;
}

// WM_ANY_FILTER(name, doc) { … } is a filter over any columns: batch->columns[i], batch->n_columns and row.
#define WM_ANY_FILTER(name, doc)                                                                                          \
    static int name##_row_(const wm_call *batch, size_t row);                                                             \
    static int name##_run_(wm_call *call) {                                                                               \
        wm_result_ *r = wm_take_(call, call->length);                                                                     \
        for (call->row = 0; call->row < call->length; call->row++) {                                                      \
            int keep = name##_row_(call, call->row);                                                                      \
            if (keep < 0 && keep != WM_UNKNOWN) return WM_FAILED;                                                                               \
            wm_store_keep_(r->out, call->row, keep), wm_scratch_reset_();                                             \
        }                                                                                                                 \
        return r->rows = call->length, WM_OK;                                                                             \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, "filter", true, NULL, NULL, NULL, name##_run_, NULL};                    \
    static int name##_row_(const wm_call *batch, size_t row)

// WM_ANY_MAP(name, doc) { … return WM_OK; } sees batches of any columns and returns them as they are.
#define WM_ANY_MAP(name, doc)                                                                                             \
    static int name##_all_(const wm_call *batch);                                                                         \
    static int name##_run_(wm_call *call) {                                                                               \
        wm_take_(call, call->length)->rows = call->length;                                                                \
        return name##_all_(call) ? WM_FAILED : WM_OK;                                                                     \
    }                                                                                                                     \
    static const wm_function name = {#name, doc, "map", true, NULL, NULL, NULL, name##_run_, NULL};                       \
    static int name##_all_(const wm_call *batch)

