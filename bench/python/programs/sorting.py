import heapq

rows = [((n * 7919) % 10_007, str(n), n / 3) for n in range(8000)]
by_text = sorted(rows, key=lambda r: (r[1], -r[0]))
heap = []
for r in rows:
    heapq.heappush(heap, r)
assert [heapq.heappop(heap) for _ in range(len(heap))] == sorted(rows) and by_text[0][1] == "0"
