"""The sweep's results in numbers: totals per kind of call, and failures by family."""

from collections import Counter

from tests.conformance import entries, modules
from tests.conformance.results import KINDS


def totals(results):
    """{kind: (entries that pass in every dtype they were compared in, entries compared)}."""
    table = results.per_kind()
    return {
        kind: (sum(not any(dtypes.values()) for dtypes in table[kind].values()), len(table[kind]))
        for kind in (*KINDS, *modules.KINDS)
    }


def lines(results, failures=False):
    """The report, line by line. failures: with the first line of each failure."""
    known = entries.everything() | {layer.name: layer for layer in modules.chosen()}
    for kind, (passed, compared) in totals(results).items():
        if compared:
            yield f"{kind:18}{passed:5} of {compared:4} entries  {passed / compared:6.1%}"
    for kind, rows in results.per_kind().items():
        failed = {entry: [d for d, f in dtypes.items() if f] for entry, dtypes in rows.items()}
        failed = {entry: dtypes for entry, dtypes in failed.items() if dtypes and entry in known}
        families = Counter(known[entry].family for entry in failed)
        if families:
            yield ""
            yield f"{kind} fails: " + ", ".join(f"{family} {count}" for family, count in families.most_common())
        for entry, dtypes in sorted(failed.items()):
            yield f"  {entry}: {', '.join(dtypes)}"
            if failures:
                yield "      " + str(rows[entry][dtypes[0]]).replace("\n", "\n      ")[:1200]
