"""What the lines of the docs need around them when they are run: files, answers, and why some are not run."""

from __future__ import annotations

from typing import Final

# Lines that cannot be run in a folder with one light run beside them, each with what does it instead, or why nothing does. Those
# of `ecom_lite` are parsed by the program all the same.
NOT_HERE: Final = {
    r"git clone .*": "from the network",
    r"pip install .*": "from the network; tests/acceptance/test_example_project.py installs the wheel",
    r"make \w+( ARGS=.*)?": "CI calls make itself; what `make run` calls is `ecom_lite run`",
    r"pytest": "tests/acceptance/test_example_project.py runs the project with the wheel",
    r"ecom_lite run( .*)?": "a run in the foreground: the one beside us is one; tests/acceptance/test_bounded_run.py has others",
    r"ecom_lite bench .*": "minutes of measuring; tests/acceptance/test_bench.py measures with less",
    r"python -m ecom_lite\.harness(\.soak)? .*": "minutes of faults; tests/faults/test_harness.py and test_chain.py play some",
    r"([A-Z_]+=\S+ )*pytest -s .*": "minutes to hours; tests/integration/test_lake.py with less",
    r"curl .*|TOKEN=.*": "tests/integration/test_http_docs.py asks each, and holds the answer's status",
    r"kafka-acls .*": "tests/acceptance/test_cluster.py grants what the page grants, to a cluster",
    r"export SPARK_.*|\$SPARK_HOME/.*|ECOM_LITE_SPARK__MASTER=.*": "tests/acceptance/test_spark_cluster.py does the same",
    r"pg_dump(all)? .*|psql -d .*|pg_restore .*": "tests/integration/test_moved.py has a second PostgreSQL",
    r"(ECOM_LITE_POSTGRES__DATABASE=again )?ecom_lite rebuild( .*)?": "tests/acceptance/test_rebuild.py rebuilds without a run",
    r"ECOM_LITE_POSTGRES__DATABASE=again ecom_lite check .*": "tests/acceptance/test_rebuild.py compares fingerprints",
    r"(ECOM_LITE_KAFKA__BOOTSTRAP=.* )?ecom_lite load( .*)?": "another machine; tests/acceptance/test_loaders.py",
    r"ECOM_LITE_DASHBOARDS__PASSWORD=.* ecom_lite run": "a run in the foreground",
    r"ecom_lite psql --with pgcli": "pgcli is not among the development tools",
    r"ecom_lite produce tills\.csv --source pos": "tests/integration/test_sources.py has sources",
    r"ecom_lite produce orders\.jsonl .*": "settings of the example's folder; tests/integration/test_load_mapped.py loads it",
    r"(ecom_lite stop && )?ecom_lite (backup|restore) .*": "while nothing runs; tests/acceptance/test_backup.py does both",
    r"ecom_lite check --data-dir copy": "tests/acceptance/test_backup.py checks its copy",
    r"ecom_lite demo( .*)?": "a run of minutes; tests/acceptance/test_demo.py plays one",
    r"duckdb -cmd .*": "fetches extensions; tests/integration/test_lake_docs.py attaches by the same statement",
    r"tail -f .*": "has no end",
}

STARTED: Final = "ecom_lite run --light --rate 20"  # the run beside them is this line's own
AT_THE_END: Final = ("ecom_lite stop", "ecom_lite reset")
UNTIL_CTRL_C: Final = ("ecom_lite logs -f load", "ecom_lite logs -f", "ecom_lite check --watch 30")
ON_A_TERMINAL: Final = {  # what it asks, and the answer
    "ecom_lite sql": ("ecom>", ".quit"),
    "ecom_lite psql": ("=>", r"\q"),
    "ecom_lite dead purge --resent": ("[y/N]", "y"),
    "ecom_lite dead purge --all": ("[y/N]", "y"),
    "ecom_lite reset": ("[y/N]", "y"),
}
ANSWERS: Final = {
    "ecom_lite events try --topic --last 100": (0, 1)
}  # exit codes; 1: the topic has dead letters, sent by other lines
TYPED_IN: Final = {"ecom_lite password": "correct horse battery\n"}
# As much as a page says would take too long, and what it calls by a name that is everybody's own.
INSTEAD: Final = {"--events 1000000": "--events 15", "--history 90d": "--history 2d", "export DIR": "export files"}
LETTER: Final = "2:17"  # stands for a dead letter's partition and offset
DAY: Final = "date=2026-11-27"  # stands for that of the archive's newest file
ARCHIVE: Final = "memory.main.lake"  # there with its first file, after some ten seconds
MORE_TO_PURGE: Final = "ecom_lite dead purge --all"
MENDED: Final = ("letter.json", "corrected.json")  # corrected by hand before a line sends it
WHEN_WELL: Final = ("ecom_lite status",)  # its exit code says whether all parts are well, which one may not be for a second
AFTERWARDS: Final = {"ecom_lite rate 500": "ecom_lite rate 20", "ecom_lite rate max": "ecom_lite rate 20"}

ORDER: Final = (
    '{"order_id": "by-hand-%s", "user_id": 42, "product_id": 7, "product_title": "Cup", "category": "Kitchen", "price": 2.5, '
    '"quantity": 2, "revenue": 5.0, "timestamp": "%s"}'
)
WHEN: Final = "2026-01-31T12:00:00Z"
FILES: Final = {
    "sales.csv": "order_id,user_id,product_id,product_title,category,price,quantity,revenue,timestamp\n"
    f"C-1,42,7,Cup,Kitchen,2.50,2,5.00,{WHEN}\n",
    "orders.json": f"[{ORDER % (1, WHEN)}]\n",
    "shop.log": f"{ORDER % (2, WHEN)}\n",
    "events.jsonl": f"{ORDER % (3, WHEN)}\n",
    "questions.sql": "SELECT 1 AS one;\nSELECT count(*) AS facts FROM fact_sales;\n",
    "rates.csv": "2026-01-02,EUR,1.0850\n",
}
