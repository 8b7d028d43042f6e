// ---- Columns ---------------------------------------------------------------------------------------------------------

typedef struct wm_schema_ { // ArrowSchema of the C data interface
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct wm_schema_ **children, *dictionary;
    uint32_t release, private_data;
} wm_schema_;
typedef struct wm_array_ { // ArrowArray
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct wm_array_ **children, *dictionary;
    uint32_t release, private_data;
} wm_array_;
_Static_assert(sizeof(wm_schema_) == 48 && sizeof(wm_array_) == 64, "wasmill.h needs 32-bit pointers");

// A column of the input, valid until the function returns. Row 0 is the first row of the batch whatever the offsets.
typedef struct wm_column {
    const char *name, *format; // as in ArrowSchema: "l" is int64, "u" utf8, ...
    bool nullable;
    const uint8_t *validity;   // bitmap, bit offset + row; NULL when there are no nulls
    const void *values;        // row 0's value; of text and lists: row 0's offset; of bool: a bitmap, bit offset + row
    const uint8_t *data;       // the bytes of text
    size_t offset, length, width, n_children;
    struct wm_column *children; // of lists, structs and maps; of a dictionary: its values
    const wm_array_ *array;
} wm_column;
typedef struct { const wm_column *items; size_t start, size; } wm_items; // items start … start + size - 1
typedef struct { const wm_column *column; size_t row; } wm_cell;         // a value of any type
typedef struct { uint64_t low; int64_t high; } wm_decimal;               // two's complement, 128 bits

#define WM_BIT_(bits, i) ((bits)[(i) >> 3] >> ((i) & 7) & 1)
WM_FN_ bool wm_is_null(const wm_column *c, size_t row) { return c->validity && !WM_BIT_(c->validity, c->offset + row); }

// An output column under construction, and a step of a result.
typedef struct wm_out {
    wm_array_ array;
    const void *buffers[3];
    uint8_t *validity, *values, *data;
    bool *bytes; // vectorised bool: a byte per row until the step ends
    size_t cap, size, data_cap, nulls;
    int width; // bytes of a value; or one of the W_ below
} wm_out;
enum { W_BITS_ = 0, W_TEXT_ = -4, W_LARGE_ = -8, W_PASS_ = -1, W_SIZED_ = -2, W_INPUT_ = -3 };
typedef struct wm_result_ {
    wm_array_ array; // first: the host releases a result by its address
    struct wm_result_ *next;
    struct wm_call *call;
    size_t rows, cap, bytes, first, side;
    int32_t *origins;
    wm_array_ **children;
    wm_out out[];
} wm_result_;

WM_FN_ void wm_set_null(wm_out *o, size_t row) { // vectorised functions: the row has no value
    uint8_t bit = (uint8_t)(1 << (row & 7));
    o->nulls += (o->validity[row >> 3] & bit) != 0, o->validity[row >> 3] &= (uint8_t)~bit;
}
WM_FN_ void wm_put_bytes_(wm_out *o, size_t row, wm_str s) {
    if (o->data_cap - o->size < s.size) {
        size_t cap = (o->size + s.size) * 2 + 1024;
        o->data = wm_grow_(o->data, o->data_cap, cap), o->data_cap = cap;
    }
    memcpy(o->data + o->size, s.data, s.size), o->size += s.size;
    if (o->width == W_LARGE_) ((int64_t *)(void *)o->values)[row + 1] = (int64_t)o->size;
    else ((int32_t *)(void *)o->values)[row + 1] = (int32_t)o->size;
}
WM_FN_ void wm_put_fixed_(wm_out *o, size_t row, wm_str s) { // shorter values are filled up with zeros, longer ones cut
    size_t width = (size_t)o->width, n = s.size < width ? s.size : width;
    memset(o->values + row * width, 0, width), memcpy(o->values + row * width, s.data, n);
}
// wm_append gives the next row of a vectorised column of text its value; rows come in order.
WM_FN_ void wm_append(wm_out *o, wm_str s) {
    size_t row = (size_t)o->array.length++;
    if (row >= o->cap) return; // wm_whole_ will say so
    if (o->width > 0) wm_put_fixed_(o, row, s);
    else wm_put_bytes_(o, row, s);
}
WM_FN_ void wm_append_null(wm_out *o) {
    if ((size_t)o->array.length < o->cap) wm_set_null(o, (size_t)o->array.length);
    wm_append(o, (wm_str){0});
}

// For every type T of column: wm_c_T in a row, wm_v_T and wm_o_T in a vectorised function, wm_T(column, row) reads a
// value (0 or "" for null), wm_store_T writes one, wm_size_T counts a step's bytes.
#define WM_TYPE_(T, ctype, text, w, in, out)                                                                              \
    typedef ctype wm_c_##T;                                                                                               \
    typedef in wm_v_##T;                                                                                                  \
    typedef out wm_o_##T;                                                                                                 \
    static const char wm_t_##T[] __attribute__((unused)) = text;                                                          \
    enum { wm_w_##T = w };
#define WM_NUMBER_(T, ctype, text)                                                                                        \
    WM_TYPE_(T, ctype, text, sizeof(ctype), const ctype *, ctype *)                                                       \
    WM_FN_ ctype wm_##T(const wm_column *c, size_t row) {                                                                 \
        return wm_is_null(c, row) ? (ctype){0} : ((const ctype *)c->values)[row];                                         \
    }                                                                                                                     \
    WM_FN_ void wm_store_##T(wm_out *o, size_t row, ctype v) { ((ctype *)(void *)o->values)[row] = v; }                   \
    WM_FN_ const ctype *wm_vin_##T(const wm_column *c) { return c->values; }                                              \
    WM_FN_ ctype *wm_vout_##T(wm_out *o) { return (void *)o->values; }                                                    \
    WM_FN_ size_t wm_size_##T(ctype v) { return (void)v, 0; }
#define WM_BYTES_(T, text, w, offset)                                                                                     \
    WM_TYPE_(T, wm_str, text, w, const wm_column *, wm_out *)                                                             \
    WM_FN_ wm_str wm_##T(const wm_column *c, size_t row) {                                                                \
        if (wm_is_null(c, row)) return (wm_str){0};                                                                       \
        const offset *o = (const offset *)c->values + row;                                                                \
        return (wm_str){(const char *)c->data + o[0], (size_t)(o[1] - o[0])};                                             \
    }                                                                                                                     \
    WM_FN_ void wm_store_##T(wm_out *o, size_t row, wm_str v) { wm_put_bytes_(o, row, v); }                               \
    WM_VIEWS_(T) WM_FN_ size_t wm_size_##T(wm_str v) { return v.size; }
#define WM_VIEWS_(T)                                                                                                      \
    WM_FN_ const wm_column *wm_vin_##T(const wm_column *c) { return c; }                                                  \
    WM_FN_ wm_out *wm_vout_##T(wm_out *o) { return o; }
WM_NUMBER_(int8, int8_t, "int8") WM_NUMBER_(int16, int16_t, "int16") WM_NUMBER_(int32, int32_t, "int32")
WM_NUMBER_(int64, int64_t, "int64") WM_NUMBER_(uint8, uint8_t, "uint8") WM_NUMBER_(uint16, uint16_t, "uint16")
WM_NUMBER_(uint32, uint32_t, "uint32") WM_NUMBER_(uint64, uint64_t, "uint64") WM_NUMBER_(float32, float, "float32")
WM_NUMBER_(float64, double, "float64") WM_NUMBER_(date32, int32_t, "date32") WM_NUMBER_(time32, int32_t, "time32[ms]")
WM_NUMBER_(time64, int64_t, "time64[us]") WM_NUMBER_(timestamp, int64_t, "timestamp[us, UTC]")
WM_NUMBER_(duration, int64_t, "duration[us]") WM_NUMBER_(decimal128, wm_decimal, "decimal128(38, 0)")
WM_BYTES_(utf8, "utf8", W_TEXT_, int32_t) WM_BYTES_(binary, "binary", W_TEXT_, int32_t)
WM_BYTES_(large_utf8, "large_utf8", W_LARGE_, int64_t) WM_BYTES_(large_binary, "large_binary", W_LARGE_, int64_t)
WM_TYPE_(bool, bool, "bool", W_BITS_, const wm_column *, bool *)
WM_FN_ bool wm_bool(const wm_column *c, size_t row) {
    return !wm_is_null(c, row) && WM_BIT_((const uint8_t *)c->values, c->offset + row);
}
WM_FN_ void wm_store_bool(wm_out *o, size_t row, bool v) { o->values[row >> 3] |= (uint8_t)(v << (row & 7)); }
WM_FN_ const wm_column *wm_vin_bool(const wm_column *c) { return c; }
WM_FN_ bool *wm_vout_bool(wm_out *o) { return o->bytes = memset(wm_scratch(o->cap), 0, o->cap); }
WM_FN_ size_t wm_size_bool(bool v) { return (void)v, 0; }
WM_TYPE_(fixed_size_binary, wm_str, "", W_SIZED_, const wm_column *, wm_out *)
WM_FN_ wm_str wm_fixed_size_binary(const wm_column *c, size_t row) {
    return wm_is_null(c, row) ? (wm_str){0} : (wm_str){(const char *)c->values + row * c->width, c->width};
}
WM_FN_ void wm_store_fixed_size_binary(wm_out *o, size_t row, wm_str v) { wm_put_fixed_(o, row, v); }
WM_VIEWS_(fixed_size_binary) WM_FN_ size_t wm_size_fixed_size_binary(wm_str v) { return v.size; }
WM_TYPE_(list, wm_items, "", W_INPUT_, const wm_column *, wm_out *)
WM_FN_ wm_items wm_list(const wm_column *c, size_t row) {
    const int32_t *o = (const int32_t *)c->values + row;
    return wm_is_null(c, row) ? (wm_items){c->children, 0, 0} : (wm_items){c->children, (size_t)o[0], (size_t)(o[1] - o[0])};
}
WM_VIEWS_(list)
WM_TYPE_(any, wm_cell, "", W_INPUT_, const wm_column *, wm_out *)
WM_FN_ wm_cell wm_any(const wm_column *c, size_t row) { return (wm_cell){c, row}; }
WM_VIEWS_(any)
typedef struct {} wm_nothing_;
WM_TYPE_(pass, wm_nothing_, "", W_PASS_, const wm_column *, wm_out *)
WM_FN_ void wm_store_pass(wm_out *o, size_t row, wm_nothing_ v) { (void)o, (void)row, (void)v; }
WM_VIEWS_(pass) WM_FN_ size_t wm_size_pass(wm_nothing_ v) { return (void)v, 0; }

