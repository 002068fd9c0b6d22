"""`python -m tests.acceptance.demo_page`: shows the demo once, whole, and writes what it said into docs/demo.md."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from tests.acceptance.demos import RunningDemo

PAGE = Path(__file__).parents[2] / "docs" / "demo.md"
MARK = "## One of them, as it was told\n"
TOLD = """
By `python -m tests.acceptance.demo_page`, which writes this part; {where}. In front are the seconds since its start.

```text
{said}
```
"""


def main() -> None:
    options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        demo = RunningDemo(
            Path(folder).resolve(), *options, hear=lambda seconds, line: print(f"{seconds:6.0f}  {line}", flush=True)
        )
        code, _ = demo.end()
        demo.close()
        told = [f"{seconds:5.0f}  {line}".rstrip() for seconds, line in demo.said]
        said = "\n".join(told).replace(str(Path(folder).resolve()), "~")
    said = re.sub(r"#token=\S+", "#token=...", said)
    if code:
        raise SystemExit(f"the demo ended with {code}: nothing is written")
    where = f"with {' '.join(options)}, on 2 cores" if options else "with Spark, on 2 cores"
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(head + mark + TOLD.format(where=where, said=said), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
