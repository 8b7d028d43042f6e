// The start of the interpreter, the loading of a user's file, and the first entry into a clone.
#include "guard.h"
#include "host.h"
#include "runtime.h"

static int set_paths(PyConfig *c) {
    PyConfig_SetString(c, &c->program_name, L"python");
    PyConfig_SetString(c, &c->executable, L"");
    PyConfig_SetString(c, &c->prefix, L"/lib"), PyConfig_SetString(c, &c->exec_prefix, L"/lib");
    PyConfig_SetString(c, &c->base_prefix, L"/lib"), PyConfig_SetString(c, &c->base_exec_prefix, L"/lib");
    PyConfig_SetString(c, &c->base_executable, L"");
    PyConfig_SetString(c, &c->stdlib_dir, L"/lib/python313.zip");
    c->module_search_paths_set = 1;
    PyWideStringList_Append(&c->module_search_paths, L"/lib/wasmill.zip");
    PyStatus s = PyWideStringList_Append(&c->module_search_paths, L"/lib/python313.zip");
    return PyStatus_Exception(s);
}

static int start(int hash_seed) {
    PyPreConfig pre;
    PyPreConfig_InitIsolatedConfig(&pre);
    pre.utf8_mode = 1;
    if (PyStatus_Exception(Py_PreInitialize(&pre)) || PyImport_AppendInittab("_wasmill", PyInit__wasmill)) return -1;
    PyConfig c;
    PyConfig_InitIsolatedConfig(&c);
    c.site_import = 0, c.write_bytecode = 0, c.install_signal_handlers = 0, c.pathconfig_warnings = 0, c.user_site_directory = 0;
    c.use_hash_seed = 1, c.hash_seed = (unsigned long)(uint32_t)hash_seed;
    int bad = set_paths(&c);
    PyStatus s = bad ? PyStatus_NoMemory() : Py_InitializeFromConfig(&c);
    PyConfig_Clear(&c);
    if (!PyStatus_Exception(s)) return 0;
    const char *text = s.err_msg ? s.err_msg : "Python does not start";
    wm_error.size = 0;
    wm_buffer_add(&wm_error, text, strlen(text));
    return -1;
}

WM_EXPORT("wasmill_py_boot") int wasmill_py_boot(int hash_seed) {
    if (start(hash_seed)) return WM_ERROR;
    if (!wm_runtime_start()) return wm_settle(true), wm_pack(), WM_OK;
    if (wm_runtime) wm_error_take(NULL, -1);
    else PyErr_Print(); // to the log: without the package there is nobody to write the text
    return WM_ERROR;
}

WM_EXPORT("wasmill_py_load") int wasmill_py_load(const char *job, size_t size) {
    wm_unpack();
    PyObject *v = PyObject_CallMethod(wm_runtime, "load", "s#", job, (Py_ssize_t)size);
    int pending = v ? wm_guard_pending() || wm_functions_learn() : 0;
    wm_runtime_flush();
    if (v && !pending) {
        Py_DECREF(v);
        wm_guard_clear();
        wm_settle(false);
        wm_pack();
        return WM_OK;
    }
    Py_XDECREF(v);
    wm_error_take(NULL, -1);
    return WM_ERROR;
}

WM_EXPORT("wasmill_py_after_clone") void wasmill_py_after_clone(int64_t seed) {
    PyErr_SetHandledException(NULL); // a driver may have been in an except block
    PyErr_Clear();
    wm_guard_clear();
    PyObject *v = PyObject_CallMethod(wm_runtime, "after_clone", "L", (long long)seed);
    if (v) Py_DECREF(v);
    else wm_error_take(NULL, -1);
}
