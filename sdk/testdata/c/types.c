// Every type of column, in and out, row by row and whole.
#include "wasmill.h"

#define TYPES(COLUMN)                                                                                                     \
    COLUMN(bool, b) COLUMN(int8, i8) COLUMN(int16, i16) COLUMN(int32, i32) COLUMN(int64, i64) COLUMN(uint8, u8)           \
    COLUMN(uint16, u16) COLUMN(uint32, u32) COLUMN(uint64, u64) COLUMN(float32, f32) COLUMN(float64, f64)                 \
    COLUMN(utf8, s) COLUMN(binary, y) COLUMN(large_utf8, ls) COLUMN(large_binary, ly) COLUMN(date32, d)                   \
    COLUMN(time32, t32) COLUMN(time64, t64) COLUMN(timestamp, at) COLUMN(timestamp, at_ms, "timestamp[ms]")               \
    COLUMN(duration, dur) COLUMN(decimal128, dec, "decimal128(20, 3)")                                                    \
    COLUMN(fixed_size_binary, id, "fixed_size_binary[5]")

#define COPY(type, name, ...) out->name = in->name, out->is_null.name = in->is_null.name;
WM_MAP(copy, "", TYPES, TYPES) {
    TYPES(COPY)
    return WM_OK;
}
WM_FLAT_MAP(twice, "", TYPES, TYPES) {
    TYPES(COPY)
    emit(out), emit(out);
    return WM_OK;
}

#define PASS(COLUMN) COLUMN(pass, i64) COLUMN(pass, s) COLUMN(pass, b)
WM_MAP(pass, "", TYPES, PASS) {
    (void)in, (void)out;
    return WM_OK;
}

#define SOME(COLUMN) COLUMN(bool, b) COLUMN(int64, i64) COLUMN(utf8, s) COLUMN(fixed_size_binary, id, "fixed_size_binary[5]")
WM_MAP_V(copy_v, "", SOME, SOME) {
    for (size_t i = 0; i < n; i++) {
        out->b[i] = wm_bool(in->b, i);
        out->i64[i] = in->i64[i];
        if (wm_is_null(in->b, i)) wm_set_null(out->column.b, i);
        if (wm_is_null(in->column.i64, i)) wm_set_null(out->column.i64, i);
        if (wm_is_null(in->s, i)) wm_append_null(out->s);
        else wm_append(out->s, wm_utf8(in->s, i));
        if (wm_is_null(in->id, i)) wm_append_null(out->id);
        else wm_append(out->id, wm_fixed_size_binary(in->id, i));
    }
    return WM_OK;
}
WM_MAP_V(short_v, "", SOME, SOME) {
    (void)n, (void)in, (void)out;
    return WM_OK;
}
WM_FILTER_V(odd_v, "", SOME) {
    for (size_t i = 0; i < n; i++) out->keep[i] = in->i64[i] & 1;
    return WM_OK;
}

#define LISTS(COLUMN) COLUMN(list, words, "list<utf8>") COLUMN(any, n, "int64")
#define JOINED(COLUMN) COLUMN(utf8, joined)
WM_SCALAR(join, "the words, and n", LISTS, JOINED) {
    wm_str joined = wm_format("%lld", (long long)wm_int64(in->n.column, in->n.row));
    for (size_t i = 0; i < in->words.size; i++) {
        wm_str word = wm_utf8(in->words.items, in->words.start + i);
        joined = wm_format("%.*s %.*s", WM_STR(joined), WM_STR(word));
    }
    out->joined = joined, out->is_null.joined = in->is_null.words;
    return WM_OK;
}

// Steps: rows and text beyond what one holds.
#define SIZES(COLUMN) COLUMN(int64, rows) COLUMN(int64, bytes)
#define TEXT(COLUMN) COLUMN(int64, i) COLUMN(utf8, text, "utf8!")
static const char letters[1 << 20];
WM_FLAT_MAP(fan, "rows times text of so many bytes", SIZES, TEXT) {
    for (out->i = 0; out->i < in->rows; out->i++) {
        out->text = (wm_str){letters, (size_t)in->bytes};
        emit(out);
    }
    return WM_OK;
}
WM_MAP(pad, "text of so many bytes", SIZES, TEXT) {
    out->text = (wm_str){letters, (size_t)in->bytes};
    return WM_OK;
}

WM_ANY_FILTER(whole, "rows without nulls") {
    for (size_t i = 0; i < batch->n_columns; i++)
        if (wm_is_null(&batch->columns[i], row)) return false;
    return true;
}
WM_FILTER(formats, "fails with what the header can print", SIZES) {
    return wm_fail("%d %i %u %zu %lld %llu %x %c %s %.*s %f %.2f %.0f %% %.1f", -7, 7, 7u, sizeof in->rows, (long long)INT64_MIN,
                   (unsigned long long)UINT64_MAX, 0xbeefu, 'c', "str", 2, "abc", 1.5, -2.345, 0.6, 1e300);
}

#define KEYED(COLUMN) COLUMN(utf8, word) COLUMN(int64, n)
#define STATE(COLUMN) COLUMN(int64, sum) COLUMN(utf8, last) COLUMN(bool, even)
#define SEEN(COLUMN) COLUMN(bool, is_new) COLUMN(int64, sum) COLUMN(utf8, last)
WM_KEYED_MAP(keyed, "n of 0 forgets the key", KEYED, SEEN, STATE) {
    out->is_new = state->is_new;
    out->last = state->last;
    out->sum = state->sum += in->n;
    state->last = wm_format("<%.*s>", WM_STR(in->word));
    state->even = in->n % 2 == 0;
    state->remove = in->n == 0;
    if (in->n < 0) return wm_fail("negative");
    emit(out);
    return WM_OK;
}

WM_MODULE("types", &copy, &twice, &pass, &copy_v, &short_v, &odd_v, &join, &fan, &pad, &whole, &formats, &keyed)
