// Looks around when it is opened and logs what it finds of the world outside.
#define OPEN_LOOKS
#include "misfit.c"

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
WASI(args_sizes_get) int32_t args_sizes_get(uint32_t *, uint32_t *);
WASI(environ_sizes_get) int32_t environ_sizes_get(uint32_t *, uint32_t *);
WASI(fd_prestat_get) int32_t fd_prestat_get(int32_t, void *);
WASI(path_open) int32_t path_open(int32_t, int32_t, const char *, uint32_t, int32_t, int64_t, int64_t, int32_t, int32_t *);
WASI(sock_accept) int32_t sock_accept(int32_t, int32_t, int32_t *);
WASI(fd_read) int32_t fd_read(int32_t, const void *, uint32_t, uint32_t *);
WASI(fd_write) int32_t fd_write(int32_t, const void *, uint32_t, uint32_t *);
WASI(clock_time_get) int32_t clock_time_get(int32_t, int64_t, uint64_t *);
WASI(fd_fdstat_get) int32_t fd_fdstat_get(int32_t, void *);
WASI(fd_seek) int32_t fd_seek(int32_t, int64_t, int32_t, void *);
WASI(fd_renumber) int32_t fd_renumber(int32_t, int32_t);
WASI(clock_res_get) int32_t clock_res_get(int32_t, uint64_t *);
WASI(poll_oneoff) int32_t poll_oneoff(const void *, void *, uint32_t, uint32_t *);
__attribute__((import_module("wasmill"), import_name("log"))) void host_log(int32_t, const void *, uint32_t);
__attribute__((import_module("wasmill"), import_name("metric"))) void metric(const void *, uint32_t, double);
__attribute__((import_module("wasmill"), import_name("deadline"))) int64_t deadline(void);

static void say(const char *what, int64_t n) {
	char line[64];
	uint32_t at = 0;
	for (; what[at]; at++) line[at] = what[at];
	if (n < 0) line[at++] = '-', n = -n;
	char digits[20];
	int k = 0;
	do digits[k++] = '0' + n % 10; while (n /= 10);
	while (k) line[at++] = digits[--k];
	host_log(0, line, at);
}

// Subscriptions of poll_oneoff, and the events that come.
typedef struct { uint64_t user; uint8_t kind; _Alignas(8) uint32_t id; uint64_t at, precision; uint16_t flags; } Subscription;
typedef struct { uint64_t user; uint16_t error; uint8_t kind; uint64_t bytes; uint64_t flags; } Event;
_Static_assert(sizeof(Subscription) == 48 && sizeof(Event) == 32, "layout");

static void poll(void) {
	uint64_t now = 0, later = 0;
	uint32_t n = 9;
	Event events[3];
	clock_time_get(1, 1, &now);
	Subscription s[3] = {{.user = 1, .id = 1, .at = 2000000}, {.user = 2, .id = 1, .at = now + 1000000, .flags = 1}, {.user = 3, .at = 3600000000000}};
	say("poll ", poll_oneoff(s, events, 3, &n)), say("events ", n), say("first ", (int64_t)events[0].user);
	clock_time_get(1, 1, &later), say("waited ", later - now >= 1000000);
	s[1] = (Subscription){.user = 4, .kind = 1}, s[2] = (Subscription){.user = 5, .kind = 2, .id = 7};
	say("poll ", poll_oneoff(s, events, 3, &n)), say("events ", n), say("reads ", (int64_t)events[0].user);
	say("bad ", events[1].error), say("kind ", events[1].kind);
	s[0].id = 9, say("poll of no clock ", poll_oneoff(s, events, 1, &n));
	s[0].kind = 9, say("poll of nothing known ", poll_oneoff(s, events, 1, &n));
	say("poll of none ", poll_oneoff(s, events, 0, &n)), say("poll of many ", poll_oneoff(s, events, 1025, &n));
	say("poll outside ", poll_oneoff((void *)0xfffffff0, events, 1, &n));
}

EXPORT(wasmill_open) int32_t look(int32_t fn, void *schema, void *config, uint32_t len) {
	(void)fn, (void)schema, (void)config, (void)len;
	uint32_t n = 9, size = 9;
	char buffer[8];
	struct { const char *ptr; uint32_t len; } io = {buffer, 8};
	args_sizes_get(&n, &size), say("args ", n);
	environ_sizes_get(&n, &size), say("environment ", n);
	say("folder ", fd_prestat_get(3, buffer));
	say("open ", path_open(3, 0, "etc/passwd", 10, 0, -1, -1, 0, (int32_t *)&n));
	say("socket ", sock_accept(3, 0, (int32_t *)&n));
	n = 9, fd_read(0, &io, 1, &n), say("input ", n);
	uint64_t now = 0, random = 0;
	clock_time_get(0, 1, &now), say("after 2020 ", now > 1577836800000000000ull);
	random_get(&random, 8), say("random ", random != 0);
	say("random outside ", random_get((void *)0xfffffff0, 100)), say("time outside ", clock_time_get(0, 1, (void *)0xfffffff9));
	say("no clock ", clock_time_get(2, 1, &now)), say("resolution ", clock_res_get(1, &now)), say("of no clock ", clock_res_get(5, &now));
	uint8_t stat[24];
	say("stdout ", fd_fdstat_get(1, stat)), say("is a device ", stat[0]), say("writes ", stat[8]);
	say("seek ", fd_seek(1, 0, 0, &now)), say("renumber ", fd_renumber(1, 0x7fffffff));
	say("write to stdin ", fd_write(0, &io, 1, &n)), say("to a file ", fd_write(5, &io, 1, &n)), say("many ", fd_write(1, &io, 1025, &n));
	io.ptr = (char *)0xfffffff0, say("outside ", fd_write(1, &io, 1, &n));
	say("vectors outside ", fd_write(1, (void *)0xfffffff0, 8, &n));
	poll();
	int64_t left = deadline();
	say("time left ", left > 0 && left <= 10000000000ll);
	metric("rows", 4, 2.5);
	io.ptr = "printed", io.len = 7, fd_write(1, &io, 1, &n);
	io.ptr = "panic: told you\nso", io.len = 18, fd_write(2, &io, 1, &n);
	__builtin_trap();
}
