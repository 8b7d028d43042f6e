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
	int64_t left = deadline();
	say("time left ", left > 0 && left <= 10000000000ll);
	metric("rows", 4, 2.5);
	io.ptr = "printed", io.len = 7, fd_write(1, &io, 1, &n);
	io.ptr = "panic: told you\nso", io.len = 18, fd_write(2, &io, 1, &n);
	__builtin_trap();
}
