"""The work of main.go on Python's diskcache. usage: python3 diskcache_bench.py DIR"""

import os
import shutil
import sys
import time

from diskcache import Cache

for size, n in ((100, 30000), (4096, 20000), (102400, 1500), (1 << 20, 200)):
    folder = os.path.join(sys.argv[1], "diskcache")
    cache = Cache(folder, size_limit=4 << 30)
    value = os.urandom(size)

    def each(call):
        begin = time.perf_counter()
        for i in range(n):
            call(i)
        return (time.perf_counter() - begin) / n * 1e6

    sets = each(lambda i: cache.set("key:%08d" % i, value, expire=3600))
    gets = each(lambda i: cache.get("key:%08d" % (i * 7919 % n)))
    misses = each(lambda i: cache.get("none:%08d" % i))
    print(f"diskcache {size:7d} B x {n:<6d} set {sets:8.1f} us  get {gets:8.1f} us  miss {misses:5.1f} us")
    cache.close()
    shutil.rmtree(folder)
