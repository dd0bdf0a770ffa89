"""Random requests put to two Placement servers, and their answers compared.

wire       one exchange over HTTP
world      what exists in an episode, as the generators have to know it
values     random values, right and wrong ones
routes     requests to every route but the next
candidates requests to /allocation_candidates, and forests to ask them on
compare    whether two answers say the same
known      the differences that are meant, each with its reason
"""
