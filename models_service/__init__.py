"""The workers. One thread of linear algebra each: our matrices are small, and on a machine that is busy with other
workers, threads waiting for one another made the same product up to fifty times slower. Read by numpy when it loads."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
