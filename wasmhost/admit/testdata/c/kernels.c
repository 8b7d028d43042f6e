// Kernels for the cost of fuel: each exported function does n rounds of one kind of work and returns a digest of it.
#include <stddef.h>
#include <stdint.h>

#define KERNEL(name) __attribute__((export_name(#name))) uint32_t name(uint32_t n)
#define ROLLED _Pragma("clang loop unroll(disable) vectorize(disable)")

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

static u32 state = 1;
static u32 next(void) {
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

static u8 bytes[1 << 16];
static u32 words[1 << 14];
static double left[64][64], right[64][64], product[64][64];
static char text[1 << 15];

// A loop whose body is three instructions.
KERNEL(recurrence) {
  u64 x = 88172645463325252ull;
  ROLLED for (u32 i = 0; i < n; i++) x = x * 6364136223846793005ull + i;
  return (u32)(x >> 32);
}

KERNEL(sum) {
  u32 s = 0;
  for (u32 r = 0; r < n; r++) {
    words[r & 1023] += r;
    ROLLED for (u32 i = 0; i < 1 << 14; i++) s += words[i];
  }
  return s;
}

KERNEL(checksum) {
  u32 a = 1, b = 0;
  for (u32 r = 0; r < n; r++)
    ROLLED for (u32 i = 0; i < sizeof bytes; i++) {
      a += bytes[i];
      if (a >= 65521) a -= 65521;
      b += a;
      if (b >= 65521) b -= 65521;
    }
  return b << 16 | a;
}

// Rounds of a cipher: long straight code in a loop.
static inline u32 rotate(u32 x, int by) { return x << by | x >> (32 - by); }
#define QUARTER(a, b, c, d) \
  a += b, d = rotate(d ^ a, 16), c += d, b = rotate(b ^ c, 12), a += b, d = rotate(d ^ a, 8), c += d, b = rotate(b ^ c, 7)
KERNEL(chacha) {
  u32 digest = 0;
  for (u32 r = 0; r < n; r++) {
    u32 x[16];
    for (u32 i = 0; i < 16; i++) x[i] = i * 0x9e3779b9u + r;
    ROLLED for (int i = 0; i < 10; i++) {
      QUARTER(x[0], x[4], x[8], x[12]);
      QUARTER(x[1], x[5], x[9], x[13]);
      QUARTER(x[2], x[6], x[10], x[14]);
      QUARTER(x[3], x[7], x[11], x[15]);
      QUARTER(x[0], x[5], x[10], x[15]);
      QUARTER(x[1], x[6], x[11], x[12]);
      QUARTER(x[2], x[7], x[8], x[13]);
      QUARTER(x[3], x[4], x[9], x[14]);
    }
    for (u32 i = 0; i < 16; i++) digest ^= x[i];
  }
  return digest;
}

KERNEL(matrix) {
  for (u32 r = 0; r < n; r++) {
    left[r & 63][(r >> 6) & 63] += 1;
    for (int i = 0; i < 64; i++)
      for (int j = 0; j < 64; j++) {
        double s = 0;
        ROLLED for (int k = 0; k < 64; k++) s += left[i][k] * right[k][j];
        product[i][j] = s;
      }
  }
  return (u32)product[1][2];
}

static void sift(u32 *a, u32 root, u32 end) {
  for (u32 child; (child = 2 * root + 1) < end; root = child) {
    if (child + 1 < end && a[child] < a[child + 1]) child++;
    if (a[root] >= a[child]) return;
    u32 t = a[root];
    a[root] = a[child];
    a[child] = t;
  }
}

KERNEL(heapsort) {
  u32 digest = 0;
  const u32 size = 1 << 12;
  for (u32 r = 0; r < n; r++) {
    for (u32 i = 0; i < size; i++) words[i] = next();
    for (u32 i = size / 2; i-- > 0;) sift(words, i, size);
    for (u32 end = size; --end > 0;) {
      u32 t = words[0];
      words[0] = words[end];
      words[end] = t;
      sift(words, 0, end);
    }
    digest ^= words[size / 2];
  }
  return digest;
}

// Calls and little else.
static __attribute__((noinline)) u32 ackermann(u32 m, u32 n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}
KERNEL(recursion) {
  u32 s = 0;
  for (u32 r = 0; r < n; r++) s += ackermann(2, 40 + (r & 3));
  return s;
}

// Calls through a table.
typedef u32 (*step)(u32);
static u32 step_add(u32 x) { return x + 0x9e3779b9u; }
static u32 step_mix(u32 x) { return (x ^ x >> 15) * 0x2c1b3c6du; }
static u32 step_turn(u32 x) { return rotate(x, 11); }
static u32 step_not(u32 x) { return ~x; }
static const step steps[4] = {step_add, step_mix, step_turn, step_not};
KERNEL(indirect) {
  u32 x = 1;
  for (u32 i = 0; i < n; i++) x = steps[(x >> 7) & 3](x);
  return x;
}

// An interpreter: a switch in a loop.
KERNEL(interpreter) {
  static const u8 program[] = {1, 3, 2, 4, 3, 0, 5, 1, 0, 2, 4, 6};
  u32 a = n, b = 1, c = 2;
  for (u32 at = 0, left = n * 12; left > 0; left--) {
    switch (program[at]) {
      case 0: a += b; break;
      case 1: b ^= c << 3; break;
      case 2: c = c * 5 + a; break;
      case 3: a -= c >> 2; break;
      case 4: b += a & 0xff; break;
      case 5: c ^= b; break;
      default: a ^= left;
    }
    at = at == sizeof program - 1 ? 0 : at + 1;
  }
  return a + b + c;
}

// A reader of rows of text: small calls, byte by byte.
static const char *at;
static u32 total;
static void blanks(void) {
  while (*at == ' ') at++;
}
static __attribute__((noinline)) void number(void) {
  u32 v = 0;
  while (*at >= '0' && *at <= '9') v = v * 10 + (u32)(*at++ - '0');
  total += v;
}
static __attribute__((noinline)) void word(void) {
  u32 h = 2166136261u;
  for (at++; *at != '"'; at++) h = (h ^ (u8)*at) * 16777619u;
  at++;
  total ^= h;
}
static __attribute__((noinline)) void list(void) {
  at++;
  for (;;) {
    blanks();
    switch (*at) {
      case '[': list(); break;
      case '"': word(); break;
      case ',': at++; break;
      case ']': at++; return;
      default: number();
    }
  }
}
KERNEL(parse) {
  total = 0;
  for (u32 r = 0; r < n; r++) {
    at = text;
    list();
  }
  return total;
}

// Bulk operations of ordinary lengths, and one beyond a chunk.
KERNEL(fills) {
  for (u32 i = 0; i < n; i++) __builtin_memset(bytes, (int)i, 32 + (i & 127));
  return bytes[5];
}
KERNEL(copies) {
  for (u32 i = 0; i < n; i++) __builtin_memmove(bytes + (i & 63), bytes + 1024, 64 + (i & 511));
  return bytes[99];
}

KERNEL(strlen_) {
  u32 s = 0;
  for (u32 i = 0; i < n; i++) {
    const char *p = text + (i & 255);
    ROLLED while (*p) p++;
    s += (u32)(p - text);
  }
  return s;
}

KERNEL(divisions) {
  u32 s = 0;
  for (u32 i = 1; i <= n; i++) {
    u32 a = i, b = 2520;
    while (b) {
      u32 t = a % b;
      a = b;
      b = t;
    }
    s += a;
  }
  return s;
}

KERNEL(prepare) {
  for (u32 i = 0; i < sizeof bytes; i++) bytes[i] = (u8)next();
  for (u32 i = 0; i < 1 << 14; i++) words[i] = next();
  for (int i = 0; i < 64; i++)
    for (int j = 0; j < 64; j++) left[i][j] = i - j, right[i][j] = i + j;
  char *p = text;
  *p++ = '[';
  while (p < text + sizeof text - 64) {
    const char *s = "[\"carrier\", 1234567, \"a name\", [1, 22, 333], 42], ";
    while (*s) *p++ = *s++;
  }
  *p++ = ']';
  *p = 0;
  return n;
}
