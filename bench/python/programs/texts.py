import json
import re

PATTERN = re.compile(r"(\w+)@(\w+)\.(com|org)")
out = []
for n in range(600):
    event = {"id": n, "mail": "user%d@example.org" % n, "tags": ["a", "b", str(n)], "price": n / 7}
    back = json.loads(json.dumps(event, indent=1))
    found = PATTERN.search(back["mail"])
    out.append("%s-%s-%08.3f" % (found.group(1), found.group(2), back["price"]))
assert len(set(out)) == 600
