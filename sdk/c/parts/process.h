// ---- Process functions -----------------------------------------------------------------------------------------------

WM_IMPORT_("timer_set") void wm_timer_set_(int32_t slot, int domain, int64_t ms);
WM_IMPORT_("timer_delete") void wm_timer_delete_(int32_t slot, int domain, int64_t ms);
WM_IMPORT_("watermark") int64_t wm_watermark(void); // event time that the input has come to, in ms; INT64_MIN before the first one
WM_IMPORT_("now") int64_t wm_now(void);             // processing time in ms

typedef enum { WM_EVENT_TIME = 0, WM_PROCESSING_TIME = 1 } wm_domain;
typedef struct { int64_t time; wm_domain domain; } wm_timer; // time in milliseconds since 1970 UTC
typedef struct wm_process_ {
    const wm_state_decl_ *states; // ended by a NULL name
    wm_call *const *sides;        // ended by NULL
} wm_process_;

// wm_time tells the event time of the row, or the time of the timer, in milliseconds, and whether there is one.
WM_FN_ bool wm_time(int64_t *ms) {
    const wm_column *c = &wm_at_->times;
    return *ms = ((const int64_t *)c->values)[wm_at_->row], !wm_is_null(c, wm_at_->row);
}
// wm_set_timer makes sure that the key has a timer; one whose time is over fires soon. wm_delete_timer removes one, if it is there.
WM_FN_ void wm_set_timer(wm_domain domain, int64_t ms) { wm_timer_set_(wm_slot_(), (int)domain, ms); }
WM_FN_ void wm_delete_timer(wm_domain domain, int64_t ms) { wm_timer_delete_(wm_slot_(), (int)domain, ms); }

WM_FN_ void wm_begin_process_(wm_call *call, void *state, size_t size) {
    wm_at_ = call, wm_state_failed_ = false, wm_number_handles_(state, size);
    wm_take_(call, call->length);
    for (wm_call *const *side = call->fn->process->sides; *side; side++) wm_take_(*side, 64);
}
WM_FN_ bool wm_pause_(const wm_call *call) { // a step is full
    bool full = call->head;
    for (wm_call *const *side = call->fn->process->sides; *side; side++) full |= (*side)->head != NULL;
    return full;
}

// WM_SIDE(name, COLUMNS) declares a side output: name_emit(&row), with a struct name_out, makes a row of it. It belongs to one function.
#define WM_SIDE(name, OUT)                                                                                                \
    WM_OUT_(name, OUT) WM_EMIT_(name, OUT)                                                                                \
    static const wm_function name##_side_ = {#name, NULL, "side", false, NULL, name##_out_, NULL, NULL, NULL};            \
    static wm_call name##_of_ = {.fn = &name##_side_, .n_out = 0 OUT(WM_ONE_)};                                           \
    WM_FN_ void name##_emit(const struct name##_out *out) {                                                               \
        name##_call_ = &name##_of_, name##_of_.row = wm_at_->row, name##_emit_(out);                                      \
    }
#define WM_SIDE_(name) &name##_of_,
#define WM_NONE(...)

// WM_PROCESS(name, doc, IN, OUT, STATES, SIDES) { … return WM_OK; } is called for each row, with in, out, emit and state, and
// WM_ON_TIMER(name) { … return WM_OK; } behind it for each timer, with timer, out, emit and state. STATES takes three macros:
//   #define STATES(VALUE, LIST, MAP) VALUE(int64, last) LIST(utf8, seen, "1h") MAP(utf8, int64, counts)
// where a last argument is when what is stored expires, and SIDES one: #define SIDES(SIDE) SIDE(missed); WM_NONE for none.
#define WM_PROCESS(name, doc, IN, OUT, STATES, SIDES)                                                                     \
    WM_IN_(name, IN) WM_OUT_(name, OUT) WM_EMIT_(name, OUT)                                                               \
    struct name##_state { STATES(WM_H_VALUE_, WM_H_LIST_, WM_H_MAP_) };                                                   \
    static struct name##_state name##_handles_;                                                                           \
    static const wm_state_decl_ name##_states_[] = {STATES(WM_D_VALUE_, WM_D_LIST_, WM_D_MAP_){0}};                       \
    static wm_call *const name##_sides_[] = {SIDES(WM_SIDE_) NULL};                                                       \
    static const wm_process_ name##_process_ = {name##_states_, name##_sides_};                                           \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, const struct name##_state *state,      \
                               void (*emit)(const struct name##_out *));                                                  \
    static int name##_timer_(wm_timer timer, struct name##_out *out, const struct name##_state *state,                    \
                             void (*emit)(const struct name##_out *));                                                    \
    static int name##_run_(wm_call *call) {                                                                               \
        WM_COLUMNS_(IN)                                                                                                   \
        name##_call_ = call, wm_begin_process_(call, &name##_handles_, sizeof name##_handles_);                           \
        for (size_t row = call->row; row < call->length; row++) {                                                         \
            struct name##_out out = {0};                                                                                  \
            int status;                                                                                                   \
            if (call->domains) {                                                                                          \
                wm_timer timer = {((const int64_t *)call->times.values)[row], (wm_domain)call->domains[row]};             \
                call->row = row, status = name##_timer_(timer, &out, &name##_handles_, name##_emit_);                     \
            } else {                                                                                                      \
                WM_ROW_(name, IN)                                                                                         \
                status = name##_row_(&in, &out, &name##_handles_, name##_emit_);                                          \
            }                                                                                                             \
            if (status || wm_state_failed_) return WM_FAILED;                                                             \
            wm_scratch_reset_();                                                                                          \
            if (row + 1 < call->length && wm_pause_(call)) return call->row = row + 1, WM_MORE_;                          \
        }                                                                                                                 \
        return WM_OK;                                                                                                     \
    }                                                                                                                     \
    static const wm_function name = {                                                                                     \
        #name, doc, "process", false, name##_in_, name##_out_, NULL, name##_run_, &name##_process_};                      \
    WM_INLINE_ int name##_row_(const struct name##_in *in, struct name##_out *out, const struct name##_state *state,      \
                               void (*emit)(const struct name##_out *))
#define WM_ON_TIMER(name)                                                                                                 \
    static int name##_timer_(wm_timer timer, struct name##_out *out, const struct name##_state *state,                    \
                             void (*emit)(const struct name##_out *))

