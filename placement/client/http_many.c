#include "placement/client/http_many.h"

#include "lib/xalloc.h"
#include "placement/client/exchange.h"

#define LOOK_AGAIN_MS 1000

struct lane {
    struct exchange exchange;
    void *tag;
    bool busy;
};

struct http_many {
    CURLM *multi;
    struct lane *lanes;
    size_t count, under_way;
};

struct http_many *http_many_new(struct http *http, size_t most)
{
    struct http_many *many = xcalloc(1, sizeof *many);
    many->multi = curl_multi_init();
    if (!many->multi)
        abort();
    curl_multi_setopt(many->multi, CURLMOPT_MAXCONNECTS, (long)most);
    many->lanes = xcalloc(most, sizeof *many->lanes);
    many->count = most;
    for (size_t i = 0; i < most; i++)
        exchange_open(&many->lanes[i].exchange, http);
    return many;
}

void http_many_free(struct http_many *many)
{
    for (size_t i = 0; i < many->count; i++) {
        struct lane *lane = &many->lanes[i];
        if (lane->busy)
            curl_multi_remove_handle(many->multi, lane->exchange.easy);
        exchange_close(&lane->exchange);
    }
    curl_multi_cleanup(many->multi);
    free(many->lanes);
    free(many);
}

size_t http_many_under_way(const struct http_many *many)
{
    return many->under_way;
}

/* These fail only where they are called wrongly, or when memory is out. */
static void must(CURLMcode rc)
{
    if (rc != CURLM_OK)
        abort();
}

void http_many_begin(struct http_many *many, const struct http_request *request,
                     void *tag)
{
    struct lane *lane = many->lanes;
    while (lane->busy)
        lane++;
    exchange_begin(&lane->exchange, request);
    curl_easy_setopt(lane->exchange.easy, CURLOPT_PRIVATE, lane);
    must(curl_multi_add_handle(many->multi, lane->exchange.easy));
    lane->tag = tag;
    lane->busy = true;
    many->under_way++;
}

/* libcurl's word of one that has ended. */
static const CURLMsg *wait_for_one(struct http_many *many)
{
    for (;;) {
        const CURLMsg *message;
        int left;
        must(curl_multi_perform(many->multi, &left));
        while ((message = curl_multi_info_read(many->multi, &left)))
            if (message->msg == CURLMSG_DONE)
                return message;
        must(curl_multi_poll(many->multi, NULL, 0, LOOK_AGAIN_MS, NULL));
    }
}

int http_many_end(struct http_many *many, void **tag, struct http_reply *reply,
                  struct error *err)
{
    const CURLMsg *message = wait_for_one(many);
    CURLcode rc = message->data.result;
    char *private = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
    struct lane *lane = (struct lane *)private;
    must(curl_multi_remove_handle(many->multi, lane->exchange.easy));
    lane->busy = false;
    many->under_way--;
    *tag = steal(lane->tag);
    return exchange_end(&lane->exchange, rc, reply, err);
}
