// A guest in C with a libc: allocation, formatting, sorting, a big switch and floating point.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

__attribute__((export_name("work"))) int work(int n) {
  char **lines = calloc((size_t)n, sizeof *lines);
  if (!lines) return -1;
  for (int i = 0; i < n; i++) {
    char line[128];
    int k = snprintf(line, sizeof line, "%05d %-8s %.6g %08x", (i * 7919) % 10007, i % 2 ? "odd" : "even", sqrt(i) * exp(i % 5), i * 31);
    lines[i] = malloc((size_t)k + 1);
    if (!lines[i]) return -2;
    memcpy(lines[i], line, (size_t)k + 1);
  }
  qsort(lines, (size_t)n, sizeof *lines, by_text);
  unsigned digest = 0;
  for (int i = 0; i < n; i++) {
    for (const char *p = lines[i]; *p; p++) digest = digest * 31 + (unsigned char)*p;
    free(lines[i]);
  }
  free(lines);
  return (int)(digest & 0x7fffffff);
}
