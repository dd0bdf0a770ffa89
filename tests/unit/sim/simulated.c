#include "tests/unit/sim/simulated.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

struct sim *simulated_host(const char *host)
{
    struct error err = {0};
    struct description *description = NULL;
    assert_ok(description_parse(host, strlen(host), &description, &err), &err);
    return sim_new_take(description);
}

static struct node *find(struct sim *sim, const char *path)
{
    pthread_mutex_lock(&sim->lock);
    struct node *node = node_find(sim->root, path);
    if (node)
        node_ref(node);
    pthread_mutex_unlock(&sim->lock);
    return node;
}

static void drop(struct sim *sim, struct node *node)
{
    pthread_mutex_lock(&sim->lock);
    node_unref(node);
    pthread_mutex_unlock(&sim->lock);
}

int simulated_store(struct sim *sim, const char *path, const char *data)
{
    struct node *node = find(sim, path);
    if (!node)
        return -ENOENT;
    int rc = sim_store(sim, node, data, strlen(data));
    drop(sim, node);
    return rc;
}

void assert_shows(struct sim *sim, const char *path, const char *expected)
{
    struct node *node = find(sim, path);
    if (!node)
        fail_msg("%s: there is none", path);
    char *text = NULL;
    size_t length;
    int rc = sim_show(sim, node, &text, &length);
    drop(sim, node);
    if (rc != 0)
        fail_msg("%s: %d", path, rc);
    assert_string_equal(text, expected);
    free(text);
}

void assert_there(struct sim *sim, const char *path, bool expected)
{
    struct node *node = find(sim, path);
    if (!node != !expected)
        fail_msg("%s: %s", path, expected ? "there is none" : "is there");
    if (node)
        drop(sim, node);
}

void simulated_control(struct sim *sim, const char *command)
{
    int rc = simulated_store(sim, ".mdevsim/control", command);
    if (rc != 0)
        fail_msg("%s: %d", command, rc);
}

static void *run_store(void *context)
{
    struct background_store *store = context;
    store->result = simulated_store(store->sim, store->path, store->data);
    return NULL;
}

void background_begin(struct background_store *store)
{
    assert_int_equal(pthread_create(&store->thread, NULL, run_store, store), 0);
}

int background_end(struct background_store *store)
{
    pthread_join(store->thread, NULL);
    return store->result;
}

void await_node(struct sim *sim, const char *path, bool there)
{
    pthread_mutex_lock(&sim->lock);
    while (!node_find(sim->root, path) == there)
        sim_wait(sim);
    pthread_mutex_unlock(&sim->lock);
}
