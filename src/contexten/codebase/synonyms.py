"""Words that programmers use for the same thing: a task says "retry" where the code says `backoff`."""

from __future__ import annotations

from functools import cache

from contexten.codebase.terms import words_in

_GROUPS = """
again attempt backoff retry
auth authenticate credential login token
bar progress
buffer chunk stream
cache memoize
cancel close dispose shutdown stop terminate
check validate verify
config configuration option setting
connect connection session socket
database db sql
deadline expire timeout
decode deserialize load parse
delete discard drop remove
directory dir folder
dump encode serialize
error exception failure
fetch get load read
http request transport
limit maximum quota throttle
lock mutex semaphore
log logger logging warn
page paginate pagination
payment charge pay refund
print render show display
queue job task worker
address link uri url
save store write persist
send transmit upload post
"""


@cache
def _table() -> dict[str, tuple[str, ...]]:
    groups = [tuple(words_in(line)) for line in _GROUPS.strip().splitlines()]
    words = sorted({word for group in groups for word in group})
    return {
        word: tuple(sorted({each for group in groups if word in group for each in group if each != word}))
        for word in words
    }


def synonyms(word: str) -> tuple[str, ...]:
    """Other words for a word, all of them without endings (see `terms.stem`)."""
    return _table().get(word, ())
