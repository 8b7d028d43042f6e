// JSON into objects.
#include <stdbool.h>

#include "json.h"

struct reader {
    const char *at, *end;
    int depth;
};

// Names of members recur: the strings are kept, by a hash of their bytes. Only short ones of ASCII are.
enum { NAMES = 512, LONGEST_NAME = 40 };
static PyObject *names[NAMES];

static inline void space(struct reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static PyObject *value(struct reader *r);

static PyObject *ascii(const char *s, Py_ssize_t n) {
    PyObject *o = PyUnicode_New(n, 127);
    if (o && n) memcpy(PyUnicode_1BYTE_DATA(o), s, (size_t)n);
    return o;
}

static PyObject *name(const char *s, Py_ssize_t n) {
    if (n > LONGEST_NAME) return ascii(s, n);
    uint32_t h = 2166136261u;
    for (Py_ssize_t i = 0; i < n; i++) h = (h ^ (unsigned char)s[i]) * 16777619u;
    PyObject **slot = &names[(h ^ h >> 15) % NAMES], *o = *slot;
    if (o && PyUnicode_GET_LENGTH(o) == n && !memcmp(PyUnicode_1BYTE_DATA(o), s, (size_t)n)) return Py_NewRef(o);
    if (!(o = ascii(s, n))) return NULL;
    Py_XDECREF(*slot);
    *slot = o;
    return Py_NewRef(o);
}

static int hex4(const char *s) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (d < 0) return -1;
        v = v << 4 | d;
    }
    return v;
}

// escaped reads a string that has escapes, whose first `plain` bytes have none. It writes UTF-8, which is never longer than the text.
static PyObject *escaped(struct reader *r, const char *start, Py_ssize_t plain) {
    const char *s = start + plain, *close = s;
    while (close < r->end && *close != '"') close += *close == '\\' ? 2 : 1;
    if (close >= r->end) return NULL;
    char small[256], *out = close - start <= (Py_ssize_t)sizeof small ? small : PyMem_Malloc((size_t)(close - start)), *o = out;
    if (!out) return PyErr_NoMemory();
    memcpy(o, start, (size_t)plain), o += plain;
    bool good = true;
    while (good && s < close) {
        unsigned char c = (unsigned char)*s++;
        if (c != '\\') {
            good = c >= 0x20;
            *o++ = (char)c;
            continue;
        }
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        const char *which = strchr(from, *s);
        if (which && *which) {
            *o++ = to[which - from], s++;
            continue;
        }
        int v = *s == 'u' && close - s > 4 ? hex4(s + 1) : -1;
        s += 5;
        if (v >= 0xd800 && v < 0xdc00 && close - s > 5 && s[0] == '\\' && s[1] == 'u') {
            int low = hex4(s + 2);
            if (low >= 0xdc00 && low < 0xe000) v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00), s += 6;
        }
        good = v >= 0 && (v < 0xd800 || v >= 0xe000); // half a pair is the standard library's
        if (!good) break;
        if (v < 0x80) *o++ = (char)v;
        else if (v < 0x800) *o++ = (char)(0xc0 | v >> 6), *o++ = (char)(0x80 | (v & 63));
        else if (v < 0x10000) *o++ = (char)(0xe0 | v >> 12), *o++ = (char)(0x80 | (v >> 6 & 63)), *o++ = (char)(0x80 | (v & 63));
        else *o++ = (char)(0xf0 | v >> 18), *o++ = (char)(0x80 | (v >> 12 & 63)), *o++ = (char)(0x80 | (v >> 6 & 63)), *o++ = (char)(0x80 | (v & 63));
    }
    PyObject *text = good ? PyUnicode_DecodeUTF8(out, o - out, NULL) : NULL;
    if (out != small) PyMem_Free(out);
    if (text) r->at = close + 1;
    return text;
}

// string reads what stands behind a quote.
static PyObject *string(struct reader *r, bool is_name) {
    const char *start = r->at, *s = start;
    unsigned char seen = 0;
    while (s < r->end && (unsigned char)*s >= 0x20 && *s != '"' && *s != '\\') seen |= (unsigned char)*s++;
    if (s == r->end || (unsigned char)*s < 0x20) return NULL;
    if (*s == '\\') return escaped(r, start, s - start);
    r->at = s + 1;
    if (seen >= 0x80) return PyUnicode_DecodeUTF8(start, s - start, NULL);
    return is_name ? name(start, s - start) : ascii(start, s - start);
}

static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline bool is_digit(const char *s, const char *end) { return s < end && *s >= '0' && *s <= '9'; }

static PyObject *number(struct reader *r) {
    const char *start = r->at, *s = start, *end = r->end;
    bool minus = *s == '-', whole = true;
    s += minus;
    if (!is_digit(s, end)) return NULL; // -Infinity, or nothing
    uint64_t m = 0;
    int digits = 0, scale = 0;
    if (*s == '0') s++; // nothing follows a zero in front: what does is found behind the value
    else
        for (; is_digit(s, end); s++) m = digits++ < 19 ? m * 10 + (uint64_t)(*s - '0') : m;
    if (s < end && *s == '.') {
        if (!is_digit(s + 1, end)) return NULL;
        whole = false;
        for (s++; is_digit(s, end); s++) {
            if (m || *s != '0') digits++;
            if (digits <= 19) m = m * 10 + (uint64_t)(*s - '0'), scale--;
        }
    }
    if (s < end && (*s == 'e' || *s == 'E')) {
        const char *e = s + 1;
        bool down = e < end && *e == '-';
        e += e < end && (*e == '-' || *e == '+');
        if (!is_digit(e, end)) return NULL;
        whole = false;
        int x = 0;
        for (; is_digit(e, end); e++) x = x < 100000 ? x * 10 + (*e - '0') : x;
        scale += down ? -x : x;
        s = e;
    }
    r->at = s;
    if (whole && digits <= 18) return PyLong_FromLongLong(minus ? -(long long)m : (long long)m);
    // A product or quotient of two doubles that are exact is rounded once (Clinger, "How to read floating point numbers accurately").
    if (!whole && digits <= 19 && m <= (UINT64_C(1) << 53) && scale >= -22 && scale <= 22) {
        double d = scale < 0 ? (double)m / powers[-scale] : (double)m * powers[scale];
        return PyFloat_FromDouble(minus ? -d : d);
    }
    char small[64], *text = s - start < (Py_ssize_t)sizeof small ? small : PyMem_Malloc((size_t)(s - start) + 1);
    if (!text) return PyErr_NoMemory();
    memcpy(text, start, (size_t)(s - start)), text[s - start] = 0;
    PyObject *o;
    if (whole) o = PyLong_FromString(text, NULL, 10);
    else {
        double d = PyOS_string_to_double(text, NULL, NULL);
        o = d == -1 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(d);
    }
    if (text != small) PyMem_Free(text);
    return o;
}

static PyObject *array(struct reader *r) {
    PyObject *list = PyList_New(0);
    space(r);
    if (list && r->at < r->end && *r->at == ']') return r->at++, list;
    while (list) {
        PyObject *v = value(r);
        int bad = !v || PyList_Append(list, v);
        Py_XDECREF(v);
        space(r);
        if (bad || r->at == r->end) break;
        char c = *r->at++;
        if (c == ']') return list;
        if (c != ',') break;
        space(r);
    }
    Py_XDECREF(list);
    return NULL;
}

static PyObject *object(struct reader *r) {
    PyObject *dict = PyDict_New();
    space(r);
    if (dict && r->at < r->end && *r->at == '}') return r->at++, dict;
    while (dict) {
        if (r->at == r->end || *r->at++ != '"') break;
        PyObject *k = string(r, true), *v = NULL;
        space(r);
        if (k && r->at < r->end && *r->at++ == ':') {
            space(r);
            v = value(r);
        }
        int bad = !v || PyDict_SetItem(dict, k, v);
        Py_XDECREF(k);
        Py_XDECREF(v);
        space(r);
        if (bad || r->at == r->end) break;
        char c = *r->at++;
        if (c == '}') return dict;
        if (c != ',') break;
        space(r);
    }
    Py_XDECREF(dict);
    return NULL;
}

static PyObject *word(struct reader *r, const char *text, Py_ssize_t n, PyObject *o) {
    if (r->end - r->at < n || memcmp(r->at, text, (size_t)n)) return NULL;
    r->at += n;
    return Py_NewRef(o);
}

static PyObject *value(struct reader *r) {
    if (r->at == r->end) return NULL;
    switch (*r->at) {
    case '"': return r->at++, string(r, false);
    case 't': return word(r, "true", 4, Py_True);
    case 'f': return word(r, "false", 5, Py_False);
    case 'n': return word(r, "null", 4, Py_None);
    case '{':
    case '[': {
        if (++r->depth > WM_JSON_DEEPEST) return NULL;
        PyObject *o = *r->at++ == '{' ? object(r) : array(r);
        r->depth--;
        return o;
    }
    default: return number(r);
    }
}

PyObject *wm_json_parse(const char *s, Py_ssize_t n) {
    struct reader r = {s, s + n, 0};
    space(&r);
    PyObject *o = value(&r);
    space(&r);
    if (o && r.at == r.end) return o;
    Py_XDECREF(o);
    PyErr_Clear(); // the standard library comes to the same, and says it in its words
    return NULL;
}
