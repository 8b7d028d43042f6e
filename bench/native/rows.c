// The functions of a Python file, called row by row as in the sandbox by the same C, but in a CPython of this machine. See bench/pythonnative.go.
//
//	rows HOME LIB FILE.py FUNCTION KIND DATA BATCHES
//
// HOME is where CPython is installed, LIB the folder with the package wasmill, DATA a file of columns (see readColumns). For each line on standard input it runs the
// function over so many batches, and writes the processor time of a row in nanoseconds on a line.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "runtime.h"

int wasmill_open(size_t fn, const struct wm_schema *schema, const char *config, size_t config_size);
int wasmill_call(size_t fn, const struct wm_array *in, struct wm_step *out);
int wasmill_next(size_t fn, struct wm_step *out);
void wasmill_release(struct wm_array *array);

static void die(const char *what) {
    if (PyErr_Occurred()) PyErr_Print();
    if (wm_error.size) fprintf(stderr, "%.*s\n", (int)wm_error.size, wm_error.data);
    fprintf(stderr, "rows: %s\n", what);
    exit(1);
}

static void start(const char *home, const char *lib) {
    char stdlib[4096], dynload[4096];
    snprintf(stdlib, sizeof stdlib, "%s/lib/python3.13", home), snprintf(dynload, sizeof dynload, "%s/lib-dynload", stdlib);
    if (PyImport_AppendInittab("_wasmill", PyInit__wasmill)) die("no memory");
    PyConfig c;
    PyConfig_InitIsolatedConfig(&c);
    c.site_import = 0, c.write_bytecode = 0, c.module_search_paths_set = 1;
    const char *const paths[] = {lib, stdlib, dynload};
    for (int i = 0; i < 3; i++) PyWideStringList_Append(&c.module_search_paths, Py_DecodeLocale(paths[i], NULL));
    PyConfig_SetBytesString(&c, &c.home, home);
    if (PyStatus_Exception(Py_InitializeFromConfig(&c)) || wm_runtime_start()) die("Python does not start");
}

// load executes the file and returns the number of a function.
static size_t load(const char *path, const char *name, const char *kind) {
    char job[8192];
    snprintf(job, sizeof job, "{\"path\": \"%s\", \"name\": \"functions\"}", path);
    PyObject *v = PyObject_CallMethod(wm_runtime, "load", "s", job);
    if (!v || wm_functions_learn()) die(path);
    PyObject *functions = PyObject_GetAttrString(wm_runtime, "_functions");
    for (Py_ssize_t i = 0; functions && i < PyList_GET_SIZE(functions); i++) {
        PyObject *f = PyList_GET_ITEM(functions, i), *n = PyObject_GetAttrString(f, "name"), *k = PyObject_GetAttrString(f, "kind");
        if (n && k && PyUnicode_EqualToUTF8(n, name) && PyUnicode_EqualToUTF8(k, kind)) return (size_t)i;
    }
    die("there is no such function");
    return 0;
}

static uint64_t number(FILE *f) {
    uint64_t n;
    if (fread(&n, sizeof n, 1, f) != 1) die("the columns are cut short");
    return n;
}

static void *bytes(FILE *f) {
    size_t n = number(f);
    char *b = aligned_alloc(64, (n + 128) & ~(size_t)63);
    if (!b || (n && fread(b, n, 1, f) != 1)) die("the columns are cut short");
    memset(b + n, 0, 8); // text ends with a zero, and a count of metadata is one
    return b;
}

// readColumns reads a batch. All numbers are of 64 bits, and bytes have their number before them:
//
//	rows, columns; for each: format, name, metadata, number of buffers, buffers
static void readColumns(const char *path, struct wm_schema *schema, struct wm_array *array) {
    FILE *f = fopen(path, "rb");
    if (!f) die(path);
    int64_t rows = (int64_t)number(f), n = (int64_t)number(f);
    *schema = (struct wm_schema){.format = "+s", .n_children = n, .children = calloc((size_t)n, sizeof *schema->children)};
    *array = (struct wm_array){.length = rows, .n_buffers = 1, .buffers = calloc(1, sizeof(void *)), .n_children = n, .children = calloc((size_t)n, sizeof *array->children)};
    for (int64_t k = 0; k < n; k++) {
        struct wm_schema *s = schema->children[k] = calloc(1, sizeof *s);
        struct wm_array *a = array->children[k] = calloc(1, sizeof *a);
        s->format = bytes(f), s->name = bytes(f), s->metadata = bytes(f);
        a->length = rows, a->n_buffers = (int64_t)number(f), a->buffers = calloc((size_t)a->n_buffers, sizeof(void *));
        for (int64_t i = 0; i < a->n_buffers; i++) a->buffers[i] = bytes(f);
    }
    fclose(f);
}

// batch runs the function once and returns how many rows came back.
static int64_t batch(size_t fn, const struct wm_array *in) {
    struct wm_step out = {.row = -1};
    int64_t rows = 0;
    int status = wasmill_call(fn, in, &out);
    for (;;) {
        if (status == WM_ERROR) die("the function failed");
        if (out.array) rows += out.array->length, wasmill_release(out.array);
        if (status == WM_OK) return rows;
        out = (struct wm_step){.row = -1};
        status = wasmill_next(fn, &out);
    }
}

static double processor(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 8) die("usage: rows HOME LIB FILE.py FUNCTION KIND DATA BATCHES");
    start(argv[1], argv[2]);
    size_t fn = load(argv[3], argv[4], argv[5]);
    struct wm_schema schema;
    struct wm_array array;
    readColumns(argv[6], &schema, &array);
    if (wasmill_open(fn, &schema, NULL, 0)) die("the function does not open");
    int batches = atoi(argv[7]);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        int64_t rows = 0;
        double began = processor();
        for (int i = 0; i < batches; i++) rows += batch(fn, &array);
        double took = processor() - began;
        if (rows <= 0) die("no rows came back");
        printf("%f %lld\n", took / batches / (double)array.length, (long long)(rows / batches));
        fflush(stdout);
    }
    return 0;
}
