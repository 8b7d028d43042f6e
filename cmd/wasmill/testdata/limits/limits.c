// A function that meets a limit of the sandbox when its row says so.
#include "wasmill.h"

static volatile int64_t sink;
__attribute__((noinline)) static void ping(void);
__attribute__((noinline)) static void pong(void) { sink++, ping(), sink++; }
static void ping(void) { sink++, pong(), sink++; }

#define IN(COLUMN)  COLUMN(utf8, what)
#define OUT(COLUMN) COLUMN(utf8, did)

WM_MAP(meet, "does what the row says", IN, OUT) {
    if (wm_is(in->what, "spin")) for (;;) sink++;
    if (wm_is(in->what, "recursion")) ping();
    if (wm_is(in->what, "trap")) __builtin_trap();
    if (wm_is(in->what, "memory")) for (;;) *(volatile char *)wm_scratch(1 << 20) = 1;
    if (wm_is(in->what, "log")) for (int i = 0; i < 2000; i++) wm_log(WM_INFO, "line %d", i);
    out->did = in->what;
    return WM_OK;
}
WM_MODULE("limits", &meet)
