// operate, the process function that the conformance kit asks for: it does what its rows say.
#define ORDER(COLUMN) COLUMN(utf8, op, "utf8!") COLUMN(utf8, key, "utf8!") COLUMN(int64, n)
#define LINE(COLUMN) COLUMN(utf8, text, "utf8!")
#define ODD(COLUMN) COLUMN(int64, n, "int64!")
#define WORD(COLUMN) COLUMN(utf8, word, "utf8!") COLUMN(int64, n, "int64!")
#define STATES(VALUE, LIST, MAP)                                                                                          \
    VALUE(int64, last) VALUE(int64, brief, "1s") VALUE(int64, sum) LIST(int64, list) MAP(utf8, int64, map)
#define SIDES(SIDE) SIDE(odd) SIDE(words)
WM_SIDE(odd, ODD)
WM_SIDE(words, WORD)

#define OP(name) wm_is(in->op, name)
#define SAY(...) (out->text = wm_format(__VA_ARGS__), emit(out))
WM_PROCESS(operate, "does what its rows say", ORDER, LINE, STATES, SIDES) {
    int64_t v, n = in->n;
    wm_domain domain = wm_is(in->key, "processing") ? WM_PROCESSING_TIME : WM_EVENT_TIME;
    if (OP("last")) {
        if (wm_get(state->last, &v)) SAY("last %lld", v); else SAY("last none");
        if (in->is_null.n) wm_clear(state->last); else wm_set(state->last, n);
    } else if (OP("brief")) {
        if (wm_get(state->brief, &v)) SAY("brief %lld", v); else SAY("brief none");
        if (in->is_null.n) wm_clear(state->brief); else wm_set(state->brief, n);
    } else if (OP("sum")) {
        if (wm_get(state->sum, &v)) n += v;
        wm_set(state->sum, n);
        SAY("sum %lld", n);
    } else if (OP("add")) {
        wm_add(state->list, n);
    } else if (OP("update")) {
        wm_clear(state->list);
        wm_add(state->list, n);
        wm_add(state->list, n + 1);
    } else if (OP("list")) {
        int64_t *values;
        size_t count = wm_values(state->list, &values);
        wm_str text = wm_text("list");
        for (size_t i = 0; i < count; i++) text = wm_format("%.*s %lld", WM_STR(text), values[i]);
        SAY("%.*s", WM_STR(text));
    } else if (OP("clear")) {
        wm_clear(state->list);
        wm_clear(state->map);
    } else if (OP("put")) {
        wm_map_put(state->map, in->key, n);
    } else if (OP("get")) {
        if (wm_map_get(state->map, in->key, &v)) SAY("get %lld", v); else SAY("get none");
    } else if (OP("remove")) {
        wm_map_remove(state->map, in->key);
    } else if (OP("fill")) {
        for (int64_t i = 0; i < n; i++) wm_map_put(state->map, wm_format("%.*s%lld", WM_STR(in->key), 100000 + i), i);
    } else if (OP("entries") || OP("sum entries")) {
        wm_cursor at = {0};
        wm_str key, text = wm_text("entries");
        int64_t count = 0, sum = 0;
        while (wm_map_next(state->map, &at, &key, &v)) {
            count++, sum += v;
            if (OP("entries")) text = wm_format("%.*s %.*s=%lld", WM_STR(text), WM_STR(key), v);
        }
        if (OP("entries")) SAY("%.*s", WM_STR(text)); else SAY("entries %lld %lld", count, sum);
    } else if (OP("set")) {
        wm_set_timer(domain, n);
    } else if (OP("delete")) {
        wm_delete_timer(domain, n);
    } else if (OP("clock")) {
        wm_str at = wm_text("none");
        if (wm_time(&v)) at = wm_format("%lld", v);
        SAY("time %.*s watermark %lld now %lld", WM_STR(at), wm_watermark(), wm_now());
    } else if (OP("aside")) {
        if (n % 2) odd_emit(&(struct odd_out){.n = n});
        words_emit(&(struct words_out){.word = in->key, .n = n});
    } else if (OP("flood")) {
        for (int64_t i = 0; i < n; i++) {
            SAY("x");
            odd_emit(&(struct odd_out){.n = i});
        }
    } else if (OP("fail")) {
        return wm_fail("as asked");
    }
    return WM_OK;
}
WM_ON_TIMER(operate) {
    const char *name = timer.domain == WM_EVENT_TIME ? "event" : "processing";
    SAY("%s %lld", name, timer.time);
    wm_add(state->list, timer.time);
    int64_t last, *values;
    size_t count = wm_values(state->list, &values);
    if (wm_get(state->last, &last))
        for (size_t i = 0; i < count; i++)
            if (values[i] == last) return wm_fail("the timer of %lld", last);
    words_emit(&(struct words_out){.word = wm_text(name), .n = timer.time});
    if (timer.domain == WM_PROCESSING_TIME) wm_set_timer(WM_EVENT_TIME, timer.time + 10);
    return WM_OK;
}
