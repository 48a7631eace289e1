"""How much one template may ask for, so that none takes a worker's memory or time.

Each is refused with a sentence: the first three on save, the others for the delivery.
"""

# Characters of a template.
MAX_SOURCE = 1_000_000
# Tags in a template; each is resolved and escaped for every subject.
MAX_TAGS = 1_000
# Filters on a tag.
MAX_FILTERS = 20
# Characters of a value after each of its filters.
MAX_FILTERED = 1_000_000
# Characters of all values of a template, each counted after each of its filters.
MAX_FILTERED_IN_ALL = 2_000_000
# Characters of a result. A request may be shorter still: see REQUEST_MAX_BYTES.
MAX_RESULT = 20_000_000
# Lines of a text that becomes a document (ADF), which has a node for each.
MAX_LINES = 20_000
