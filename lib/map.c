#include "lib/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/xalloc.h"

/* FNV-1a over eight bytes at a time, started from a secret and mixed at the end. */
static uint64_t hash_of(const char *key)
{
    static uint64_t seed;
    while (!seed)
        if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
            seed = 0;
    uint64_t hash = seed;
    size_t length = strlen(key);
    while (length > 0) {
        uint64_t word = 0;
        size_t taken = length < sizeof word ? length : sizeof word;
        memcpy(&word, key, taken);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
        key += taken;
        length -= taken;
    }
    return hash ^ hash >> 29;
}

static struct map_entry **bucket_of(const struct map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->bucket_count - 1)];
}

struct map_entry *map_find(const struct map *map, const char *key)
{
    if (!map->count)
        return NULL;
    uint64_t hash = hash_of(key);
    struct map_entry *entry = *bucket_of(map, hash);
    while (entry && (entry->hash != hash || strcmp(entry->key, key) != 0))
        entry = entry->next;
    return entry;
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->bucket_count = old.bucket_count ? old.bucket_count * 2 : 64;
    map->buckets = xcalloc(map->bucket_count, sizeof(struct map_entry *));
    for (size_t i = 0; i < old.bucket_count; i++)
        for (struct map_entry *entry = old.buckets[i], *next; entry; entry = next) {
            next = entry->next;
            struct map_entry **bucket = bucket_of(map, entry->hash);
            entry->next = *bucket;
            *bucket = entry;
        }
    free(old.buckets);
}

void map_add(struct map *map, struct map_entry *entry, const char *key)
{
    if (map->count >= map->bucket_count)
        grow(map);
    entry->key = key;
    entry->hash = hash_of(key);
    struct map_entry **bucket = bucket_of(map, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    map->count++;
}

void map_remove(struct map *map, struct map_entry *entry)
{
    struct map_entry **link = bucket_of(map, entry->hash);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    map->count--;
}

void map_clear(struct map *map)
{
    free(map->buckets);
    *map = (struct map){0};
}
