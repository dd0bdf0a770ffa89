#include "placement/client/http.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "lib/xalloc.h"
#include "placement/client/exchange.h"

#define FIRST_DELAY 0.5

const struct json_bounds http_reply_bounds = {
    .objects = 16000, .values = 64000, .members = 64000};

const struct json_bounds http_large_bounds = {
    .objects = 1500000, .values = 6000000, .members = 3000000};

DEFINE_CLEANUP(CURLU *, curl_url_cleanup)

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http *http_new(const struct placement_config *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    struct http *http = xcalloc(1, sizeof *http);
    http->options = options;
    http->max_reply = HTTP_MAX_REPLY;
    exchange_open(&http->one, http);
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    exchange_close(&http->one);
    strlist_clear(&http->answered);
    free(http);
}

void http_set_interrupt(struct http *http, bool (*interrupted)(void *data), void *data)
{
    http->interrupted = interrupted;
    http->interrupted_data = data;
}

void http_take_large(struct http *http)
{
    http->max_reply = HTTP_LARGE_REPLY;
}

unsigned long http_requests(const struct http *http)
{
    return http->requests;
}

unsigned http_retry_after(const struct http *http)
{
    return http->retry_after;
}

const char *http_header(struct http *http, const char *name)
{
    struct curl_header *header;
    if (curl_easy_header(http->one.easy, name, 0, CURLH_HEADER, -1, &header) !=
        CURLHE_OK)
        return NULL;
    return header->value;
}

bool http_is_interrupted(const struct http *http)
{
    return http->interrupted && http->interrupted(http->interrupted_data);
}

static int perform_once(struct http *http, const struct http_request *request,
                        struct http_reply *reply, struct error *err)
{
    exchange_begin(&http->one, request);
    int rc = exchange_end(&http->one, curl_easy_perform(http->one.easy), reply, err);
    http->retry_after = rc == 0 ? reply->retry_after : 0;
    return rc;
}

void http_reply_clear(struct http_reply *reply)
{
    free(reply->body);
    *reply = (struct http_reply){0};
}

bool http_wait(const struct http *http, double seconds)
{
    for (long left = (long)(seconds * 1000); left > 0; left -= 1000) {
        long step = left < 1000 ? left : 1000;
        const struct timespec time = {step / 1000, step % 1000 * 1000000};
        if (http_is_interrupted(http) || nanosleep(&time, NULL) != 0)
            return false;
    }
    return true;
}

/* The pause before an attempt, as in keystoneauth: the configured one, or else one that
 * doubles each time. */
static double delay_before(unsigned retry, double said)
{
    if (said > 0)
        return said;
    double delay = FIRST_DELAY;
    while (retry-- && delay < HTTP_LONGEST_PAUSE)
        delay *= 2;
    return delay < HTTP_LONGEST_PAUSE ? delay : HTTP_LONGEST_PAUSE;
}

int http_perform(struct http *http, const struct http_request *request,
                 struct http_reply *reply, struct error *err)
{
    const struct placement_config *options = http->options;
    unsigned connects = 0, statuses = 0;
    for (;;) {
        double delay;
        struct error why = {0};
        int rc = perform_once(http, request, reply, &why);
        if (rc != 0 && (why.code == ERROR_UNREACHABLE || why.code == ERROR_TIMEOUT) &&
            connects < options->connect_retries)
            delay = delay_before(connects++, options->connect_retry_delay);
        else if (rc == 0 && reply->status == 503 &&
                 http->retry_after <= HTTP_LONGEST_PAUSE &&
                 statuses < options->status_code_retries)
            delay = fmax(delay_before(statuses++, options->status_code_retry_delay),
                         http->retry_after);
        else {
            if (rc != 0 && err)
                *err = why;
            return rc;
        }
        if (!http_wait(http, delay))
            return error_set(err, ERROR_BUSY, "interrupted");
    }
}

int http_check_url(const char *url, struct error *err)
{
    static const CURLUPart none[] = {CURLUPART_USER, CURLUPART_PASSWORD,
                                     CURLUPART_QUERY, CURLUPART_FRAGMENT};
    static const char expected[] =
        "expected http://HOST[:PORT][/PATH] or https://..., without user or query";
    _cleanup_(curl_url_cleanupp) CURLU *parsed = curl_url();
    if (!parsed)
        abort();
    if ((strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) ||
        curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
        return error_set(err, ERROR_INVALID, "not a URL: %s", expected);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        char *part = NULL;
        if (curl_url_get(parsed, none[i], &part, 0) == CURLUE_OK) {
            curl_free(part);
            return error_set(err, ERROR_INVALID, "not that kind of URL: %s", expected);
        }
    }
    return 0;
}
