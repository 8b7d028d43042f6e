def count(lines):
    counts = {}
    for line in lines:
        for word in line.lower().split():
            word = word.strip(".,;")
            counts[word] = counts.get(word, 0) + 1
    return counts


TEXT = ["The quick brown fox; the lazy dog, and line number %d." % n for n in range(2500)]
assert count(TEXT)["the"] == 5000
