from collections import defaultdict
from itertools import islice


def numbers():
    x = 1
    while True:
        x = x * 1103515245 + 12345 & 0x7FFFFFFF
        yield x


groups = defaultdict(list)
for n in (x for x in islice(numbers(), 80_000) if x % 3):
    groups[n % 97].append(n)
assert sum(sorted(map(len, groups.values()))) > 10_000
