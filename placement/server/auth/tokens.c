#include "placement/server/auth/tokens.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/connections.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/xalloc.h"
#include "placement/client/keystone.h"

/* How many tokens are asked for at the same time. */
#define WORKERS 8
/* Keystone's Fernet tokens have some 250 characters, its JWS tokens 1000. */
#define TOKEN_LENGTH_MAX 4096
/* Seconds between two lines of the log about clocks that differ. */
#define SKEW_PAUSE 60
#define KEY_SIZE 65 /* SHA-256 in hexadecimal digits, with its NUL */

/* What is known of one token. It is in the map from the first request with it. */
struct entry {
    char key[KEY_SIZE]; /* hash of the token, which is a secret and may be long */
    char *token;        /* the token itself, until Keystone was asked */
    struct token_facts facts;
    struct error error; /* the reason of TOKEN_UNKNOWN */
    /* fresh: answered since the last tokens_served(), and an answer to all that wait */
    bool known, fresh;
    int64_t asked;      /* when the first request came with it, in seconds since 1970 */
    int64_t until;      /* when it is forgotten at the latest */
    int64_t learned_ms; /* clock_monotonic_ms() when the answer came */
    struct map_entry by_key;
    struct ages *ages;           /* the list by age that it is in, */
    struct entry *older, *newer; /* and its neighbours there */
    struct entry *next;          /* in the queue, or in the list of answers */
    char client[PEER_ADDRESS_SIZE];
    unsigned turn; /* number of tokens of the same client before it in the queue */
};

struct queue {
    struct entry *first, **end;
};

/* Entries by age. When there are more than `max`, the oldest are forgotten. */
struct ages {
    struct entry *oldest, *newest;
    size_t count, max;
};

struct tokens {
    struct tokens_options options;
    struct map map;
    /* Separate lists, so that no number of invalid tokens makes a valid one forgotten.
     */
    struct ages asking, valid, refused;
    int fd;
    pthread_t threads[WORKERS];
    struct token_checker *checkers[WORKERS];
    unsigned started;
    struct entry *fresh;
    int64_t skew_said; /* when the log was last told of the clocks; 0: never */

    /* Shared with the worker threads, under the lock: */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct queue asked, answered;
    bool stop;
};

static void put(struct queue *queue, struct entry *entry)
{
    entry->next = NULL;
    *queue->end = entry;
    queue->end = &entry->next;
}

/* Clients take turns: one that asks about many tokens does not keep others waiting. */
static void put_in_turn(struct queue *queue, struct entry *entry)
{
    struct entry **at = &queue->first;
    for (const struct entry *other = queue->first; other; other = other->next)
        entry->turn += strcmp(other->client, entry->client) == 0;
    while (*at && (*at)->turn <= entry->turn)
        at = &(*at)->next;
    entry->next = *at;
    *at = entry;
    if (!entry->next)
        queue->end = &entry->next;
}

static struct entry *take(struct queue *queue)
{
    struct entry *entry = queue->first;
    if (!entry)
        return NULL;
    queue->first = entry->next;
    if (!queue->first)
        queue->end = &queue->first;
    for (struct entry *other = queue->first; other; other = other->next)
        if (other->turn > 0 && strcmp(other->client, entry->client) == 0)
            other->turn--;
    return entry;
}

/* ---- a worker ---- */

struct worker {
    struct tokens *tokens;
    struct token_checker *checker;
};

static struct entry *wait_for_work(struct tokens *tokens)
{
    pthread_mutex_lock(&tokens->lock);
    while (!tokens->asked.first && !tokens->stop)
        pthread_cond_wait(&tokens->more, &tokens->lock);
    struct entry *entry = tokens->stop ? NULL : take(&tokens->asked);
    pthread_mutex_unlock(&tokens->lock);
    return entry;
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct tokens *tokens = worker->tokens;
    const uint64_t one = 1;
    struct entry *entry;
    while ((entry = wait_for_work(tokens))) {
        /* Until the entry is in the list of answers only this thread uses it. */
        token_check(worker->checker, entry->token, &entry->facts, &entry->error);
        pthread_mutex_lock(&tokens->lock);
        put(&tokens->answered, entry);
        pthread_mutex_unlock(&tokens->lock);
        (void)!write(tokens->fd, &one, sizeof one);
    }
    free(worker);
    return NULL;
}

/* ---- entries ---- */

static void entry_free(struct entry *entry)
{
    token_facts_clear(&entry->facts);
    keystone_secret_free(entry->token);
    free(entry);
}

static void unlink_entry(struct entry *entry)
{
    struct ages *ages = entry->ages;
    *(entry->older ? &entry->older->newer : &ages->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &ages->newest) = entry->older;
    ages->count--;
}

static void link_newest(struct ages *ages, struct entry *entry)
{
    entry->ages = ages;
    entry->older = ages->newest;
    entry->newer = NULL;
    *(entry->older ? &entry->older->newer : &ages->oldest) = entry;
    ages->newest = entry;
    ages->count++;
}

static void forget(struct tokens *tokens, struct entry *entry)
{
    map_remove(&tokens->map, &entry->by_key);
    unlink_entry(entry);
    entry_free(entry);
}

static void forget_all(struct tokens *tokens, struct ages *ages)
{
    for (struct entry *entry = ages->oldest, *newer; entry; entry = newer) {
        newer = entry->newer;
        forget(tokens, entry);
    }
}

static void remember(struct tokens *tokens, struct ages *ages, struct entry *entry)
{
    unlink_entry(entry);
    link_newest(ages, entry);
    while (ages->count > ages->max)
        forget(tokens, ages->oldest);
}

static void make_key(const char *token, char key[KEY_SIZE])
{
    unsigned char digest[(KEY_SIZE - 1) / 2];
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, token, strlen(token), digest) != 0)
        abort();
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(key + 2 * i, 3, "%02x", digest[i]);
}

static void ask(struct tokens *tokens, const char *token, const char *key,
                const char *client, int64_t now)
{
    struct entry *entry = xcalloc(1, sizeof *entry);
    entry->asked = now;
    entry->token = xstrdup(token);
    snprintf(entry->key, sizeof entry->key, "%s", key);
    snprintf(entry->client, sizeof entry->client, "%s", client);
    map_add(&tokens->map, &entry->by_key, entry->key);
    link_newest(&tokens->asking, entry);
    pthread_mutex_lock(&tokens->lock);
    put_in_turn(&tokens->asked, entry);
    pthread_cond_signal(&tokens->more);
    pthread_mutex_unlock(&tokens->lock);
}

/* A clock that was set back does not make an answer last longer than cache_time. One
 * that would, by this clock, was learned by another: its expiry may be over. */
static bool is_stale(const struct tokens *tokens, const struct entry *entry,
                     int64_t now)
{
    int64_t most = tokens->options.cache_time;
    return entry->until <= now || entry->until - now > most ||
           clock_monotonic_ms() - entry->learned_ms >= most * 1000;
}

const struct token_facts *tokens_find(struct tokens *tokens, const char *token,
                                      const char *client, int64_t now)
{
    static const struct token_facts too_long = {.verdict = TOKEN_INVALID};
    char key[KEY_SIZE];
    if (strlen(token) > TOKEN_LENGTH_MAX)
        return &too_long;
    make_key(token, key);
    struct entry *entry = map_owner(map_find(&tokens->map, key), struct entry, by_key);
    /* Whoever waited for an answer takes it, whatever the clock says: to ask again would
     * be to ask without end where answers are stale when they come. */
    if (entry && entry->known && !entry->fresh && is_stale(tokens, entry, now)) {
        forget(tokens, entry);
        entry = NULL;
    }
    if (!entry)
        ask(tokens, token, key, client, now);
    return entry && entry->known ? &entry->facts : NULL;
}

/* Keystone calls no token valid that has expired by its own clock: with one that had
 * expired by ours before it was asked, the clocks differ. */
static void tell_skew(struct tokens *tokens, const struct entry *entry, int64_t now)
{
    long long late = entry->asked - entry->facts.expires_at;
    if (late < 0 || (tokens->skew_said && llabs(now - tokens->skew_said) < SKEW_PAUSE))
        return;
    tokens->skew_said = now;
    log_warning("keystone",
                "a token is refused that Keystone calls valid: by this machine's clock "
                "it had expired %lld s before. Probably this clock is ahead of "
                "Keystone's; compare them (timedatectl).",
                late);
}

static void learn(struct tokens *tokens, struct entry *entry, int64_t now)
{
    struct token_facts *facts = &entry->facts;
    entry->known = entry->fresh = true;
    keystone_secret_free(steal(entry->token));
    entry->until = now + tokens->options.cache_time;
    entry->learned_ms = clock_monotonic_ms();
    if (facts->verdict == TOKEN_VALID && facts->expires_at <= now) {
        tell_skew(tokens, entry, now);
        facts->verdict = TOKEN_INVALID;
    }
    if (facts->verdict == TOKEN_VALID && facts->expires_at < entry->until)
        entry->until = facts->expires_at;
    if (facts->verdict == TOKEN_UNKNOWN)
        log_error("keystone", "a token was not checked: %s", entry->error.text);
    entry->next = tokens->fresh;
    tokens->fresh = entry;
}

void tokens_collect(struct tokens *tokens, int64_t now)
{
    uint64_t count;
    (void)!read(tokens->fd, &count, sizeof count);
    pthread_mutex_lock(&tokens->lock);
    struct entry *entry = tokens->answered.first, *next;
    tokens->answered = (struct queue){.end = &tokens->answered.first};
    pthread_mutex_unlock(&tokens->lock);
    for (; entry; entry = next) {
        next = entry->next;
        learn(tokens, entry, now);
    }
}

void tokens_served(struct tokens *tokens)
{
    while (tokens->fresh) {
        struct entry *entry = tokens->fresh;
        tokens->fresh = entry->next;
        entry->fresh = false;
        if (entry->facts.verdict == TOKEN_UNKNOWN || tokens->options.cache_time <= 0)
            forget(tokens, entry);
        else
            remember(tokens,
                     entry->facts.verdict == TOKEN_VALID ? &tokens->valid
                                                         : &tokens->refused,
                     entry);
    }
}

/* ---- the whole ---- */

int tokens_fd(const struct tokens *tokens)
{
    return tokens->fd;
}

static int start_worker(struct tokens *tokens, struct error *err)
{
    struct worker *worker = xcalloc(1, sizeof *worker);
    worker->tokens = tokens;
    worker->checker = tokens->checkers[tokens->started];
    int rc = pthread_create(&tokens->threads[tokens->started], NULL, work, worker);
    if (rc != 0) {
        free(worker);
        return error_set_errno(err, rc, "pthread_create");
    }
    tokens->started++;
    return 0;
}

int tokens_new(const struct tokens_options *options, struct tokens **out,
               struct error *err)
{
    _cleanup_(tokens_freep) struct tokens *tokens = xcalloc(1, sizeof *tokens);
    tokens->options = *options;
    tokens->valid.max = TOKENS_MAX;
    tokens->refused.max = TOKENS_REFUSED_MAX;
    tokens->asked.end = &tokens->asked.first;
    tokens->answered.end = &tokens->answered.first;
    pthread_mutex_init(&tokens->lock, NULL);
    pthread_cond_init(&tokens->more, NULL);
    tokens->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (tokens->fd < 0)
        return error_set_errno(err, errno, "eventfd");
    for (int i = 0; i < WORKERS; i++)
        if (token_checker_new(options->keystone, &tokens->checkers[i], err) != 0 ||
            start_worker(tokens, err) != 0)
            return -1;
    *out = steal(tokens);
    return 0;
}

void tokens_free(struct tokens *tokens)
{
    pthread_mutex_lock(&tokens->lock);
    tokens->stop = true;
    pthread_cond_broadcast(&tokens->more);
    pthread_mutex_unlock(&tokens->lock);
    for (unsigned i = 0; i < tokens->started; i++)
        pthread_join(tokens->threads[i], NULL);
    for (int i = 0; i < WORKERS; i++)
        if (tokens->checkers[i])
            token_checker_free(tokens->checkers[i]);
    forget_all(tokens, &tokens->asking);
    forget_all(tokens, &tokens->valid);
    forget_all(tokens, &tokens->refused);
    map_clear(&tokens->map);
    pthread_mutex_destroy(&tokens->lock);
    pthread_cond_destroy(&tokens->more);
    if (tokens->fd >= 0)
        close(tokens->fd);
    free(tokens);
}
