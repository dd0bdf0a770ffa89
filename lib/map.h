/*
 * map: text keys to things, a chained hash table whose entries are members of those
 * things (so nothing is allocated for one more). The key is borrowed from the thing and
 * must not change while it is in the map. Keys come from clients: the hash is seeded at
 * random, so that nobody can choose keys that collide. Not thread safe.
 */
#ifndef LIB_MAP_H
#define LIB_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_entry {
    struct map_entry *next;
    const char *key;
    uint64_t hash;
};

/* All zero is an empty map. */
struct map {
    struct map_entry **buckets;
    size_t bucket_count, count;
};

/* The entry with that key; NULL when there is none. */
struct map_entry *map_find(const struct map *map, const char *key);
/* The key must not be in the map yet. */
void map_add(struct map *map, struct map_entry *entry, const char *key);
/* The entry must be in the map. */
void map_remove(struct map *map, struct map_entry *entry);
/* Forgets all entries and frees the buckets. */
void map_clear(struct map *map);

/* The thing that `entry` is the member `member` of; NULL for NULL. */
#define map_owner(entry, type, member)                                             \
    ({                                                                             \
        struct map_entry *entry_ = (entry);                                        \
        entry_ ? (type *)(void *)((char *)entry_ - offsetof(type, member)) : NULL; \
    })

#endif
