// The codec beside the standard library's: in front of json.loads and json.dumps, and behind events.
#include "json.h"

static PyObject *loads, *dumps; // as they were

static int find(void) {
    if (loads && dumps) return 0;
    PyObject *json = PyImport_ImportModule("json");
    if (json && !loads) loads = PyObject_GetAttrString(json, "loads");
    if (json && !dumps) dumps = PyObject_GetAttrString(json, "dumps");
    Py_XDECREF(json);
    return loads && dumps ? 0 : -1;
}

PyObject *wm_json_read(const char *s, Py_ssize_t n) {
    PyObject *o = wm_json_parse(s, n);
    if (o || find()) return o;
    PyObject *text = PyUnicode_DecodeUTF8(s, n, NULL);
    if (text) o = PyObject_CallOneArg(loads, text);
    Py_XDECREF(text);
    return o;
}

int wm_json_write(PyObject *o, struct wm_buffer *out) {
    int s = wm_json_print(o, out, WM_JSON_EVENT);
    if (s != 1) return s;
    if (find()) return -1;
    // An error instead of NaN, which no reader of JSON has to take, and of half a pair of surrogates, which has no UTF-8.
    PyObject *args = PyTuple_Pack(1, o), *options = Py_BuildValue("{sOsOs(ss)}", "allow_nan", Py_False, "ensure_ascii", Py_False, "separators", ",", ":");
    PyObject *text = args && options ? PyObject_Call(dumps, args, options) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(options);
    Py_ssize_t n;
    const char *utf8 = text ? PyUnicode_AsUTF8AndSize(text, &n) : NULL;
    if (text && !utf8 && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) PyErr_SetString(PyExc_ValueError, "a text has half of a surrogate pair");
    int bad = !utf8 || wm_buffer_add(out, utf8, (size_t)n);
    Py_XDECREF(text);
    return bad ? -1 : 0;
}

// plain gives the UTF-8 of what json.loads was given, where it is text or bytes of a kind that needs no thought.
static const char *plain(PyObject *o, Py_ssize_t *n) {
    if (PyUnicode_CheckExact(o)) {
        const char *s = PyUnicode_AsUTF8AndSize(o, n);
        if (!s) PyErr_Clear();
        return s;
    }
    if (!PyBytes_CheckExact(o)) return NULL;
    const char *s = PyBytes_AS_STRING(o);
    *n = PyBytes_GET_SIZE(o);
    return *n >= 4 && s[0] && s[1] && s[2] && s[3] && !((unsigned char)s[0] & 0x80) ? s : NULL; // no other encoding begins like this
}

static PyObject *fast_loads(PyObject *module, PyObject *const *args, size_t flags, PyObject *names) {
    (void)module;
    Py_ssize_t given = PyVectorcall_NARGS(flags), n;
    if (given == 1 && (!names || !PyTuple_GET_SIZE(names))) {
        const char *s = plain(args[0], &n);
        PyObject *o = s ? wm_json_parse(s, n) : NULL;
        if (o) return o;
    }
    return PyObject_Vectorcall(loads, args, (size_t)given, names);
}

static struct wm_buffer scratch; // of the last dumps, to be used again

static PyObject *fast_dumps(PyObject *module, PyObject *const *args, size_t flags, PyObject *names) {
    (void)module;
    Py_ssize_t given = PyVectorcall_NARGS(flags);
    if (given == 1 && (!names || !PyTuple_GET_SIZE(names))) {
        struct wm_buffer out = scratch;
        scratch = (struct wm_buffer){0};
        out.size = 0;
        int s = wm_json_print(args[0], &out, WM_JSON_DUMPS);
        PyObject *text = NULL;
        if (!s && (text = PyUnicode_New((Py_ssize_t)out.size, 127))) memcpy(PyUnicode_1BYTE_DATA(text), out.data, out.size);
        if (out.cap > 1 << 20 || scratch.data) wm_buffer_free(&out);
        else scratch = out;
        if (text) return text;
        PyErr_Clear(); // the standard library comes to the same
    }
    return PyObject_Vectorcall(dumps, args, (size_t)given, names);
}

static PyMethodDef fast[] = {
    {"loads", (PyCFunction)(void (*)(void))fast_loads, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"dumps", (PyCFunction)(void (*)(void))fast_dumps, METH_FASTCALL | METH_KEYWORDS, NULL},
};
static char *docs[2];

// put sets json.NAME to a function of ours that tells the same of itself.
static int put(PyObject *json, PyMethodDef *def, char **doc, PyObject *old, const char *signature) {
    PyObject *text = PyObject_GetAttrString(old, "__doc__"), *module = PyUnicode_FromString("json"), *f = NULL;
    const char *s = text ? PyUnicode_AsUTF8(text) : NULL;
    if (s && module && !*doc) {
        size_t size = strlen(signature) + strlen(s) + 1;
        if ((*doc = PyMem_Malloc(size))) snprintf(*doc, size, "%s%s", signature, s);
    }
    if (*doc) def->ml_doc = *doc, f = PyCFunction_NewEx(def, NULL, module);
    int bad = !f || PyObject_SetAttrString(json, def->ml_name, f);
    Py_XDECREF(text);
    Py_XDECREF(module);
    Py_XDECREF(f);
    return bad ? -1 : 0;
}

int wm_json_install(void) {
    PyObject *json = find() ? NULL : PyImport_ImportModule("json");
    int bad = !json ||
              put(json, &fast[0], &docs[0], loads,
                  "loads(s, *, cls=None, object_hook=None, parse_float=None,\n      parse_int=None, parse_constant=None, object_pairs_hook=None, **kw)\n--\n\n") ||
              put(json, &fast[1], &docs[1], dumps,
                  "dumps(obj, *, skipkeys=False, ensure_ascii=True, check_circular=True,\n      allow_nan=True, cls=None, indent=None, separators=None,\n      default=None, "
                  "sort_keys=False, **kw)\n--\n\n");
    Py_XDECREF(json);
    return bad ? -1 : 0;
}
