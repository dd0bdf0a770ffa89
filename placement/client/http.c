#include "placement/client/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "lib/xalloc.h"

#define DEFAULT_TIMEOUT 30.0 /* seconds */
#define CONNECT_TIMEOUT 10.0
#define FIRST_DELAY 0.5
#define LONGEST_DELAY 60.0

const struct json_bounds http_reply_bounds = {
    .objects = 16000, .values = 64000, .members = 64000};

const struct json_bounds http_large_bounds = {
    .objects = 1500000, .values = 6000000, .members = 3000000};

struct http {
    CURL *easy;
    size_t max_reply; /* bytes */
    const struct placement_config *options;
    bool (*interrupted)(void *data);
    void *interrupted_data;
    unsigned long requests;
    unsigned retry_after; /* seconds, of the last reply */
    /* "http://host:port" of each server that has ever answered */
    struct strlist answered;
    char why[CURL_ERROR_SIZE]; /* libcurl's message on the last failure */
};

DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all)
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
    http->easy = curl_easy_init();
    if (!http->easy)
        abort();
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->easy);
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
    if (curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

/* The reply as far as it was received; the buffer grows by doubling. */
struct incoming {
    char *data;
    size_t length, room, max;
    bool too_large;
};

static size_t receive(char *data, size_t size, size_t count, void *context)
{
    struct incoming *in = context;
    size_t length = size * count;
    if (length > in->max - in->length) {
        in->too_large = true;
        return 0;
    }
    if (in->room - in->length < length + 1) {
        in->room = in->room ? in->room : 1024;
        while (in->room - in->length < length + 1)
            in->room *= 2;
        in->data = xreallocarray(in->data, in->room, 1);
    }
    memcpy(in->data + in->length, data, length);
    in->length += length;
    in->data[in->length] = 0;
    return length;
}

static bool is_interrupted(const struct http *http)
{
    return http->interrupted && http->interrupted(http->interrupted_data);
}

static int progress(void *context, curl_off_t down, curl_off_t downloaded,
                    curl_off_t up, curl_off_t uploaded)
{
    (void)down, (void)downloaded, (void)up, (void)uploaded;
    return is_interrupted(context);
}

static void set_tls(CURL *easy, const struct placement_config *options)
{
    if (options->cafile) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->cafile);
        /* Only cafile is trusted, and not the system's folder of certificates. */
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (options->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (options->certfile)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, options->certfile);
    /* As in keystoneauth, one file may hold both the certificate and the key. */
    if (options->certfile || options->keyfile)
        curl_easy_setopt(easy, CURLOPT_SSLKEY,
                         options->keyfile ? options->keyfile : options->certfile);
}

static void set_transport(struct http *http)
{
    CURL *easy = http->easy;
    double timeout =
        http->options->timeout > 0 ? http->options->timeout : DEFAULT_TIMEOUT;
    double connect = timeout < CONNECT_TIMEOUT ? timeout : CONNECT_TIMEOUT;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(timeout * 1000));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect * 1000));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)http->max_reply);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "vgpu-agent/" VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->why);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, http);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    set_tls(easy, http->options);
}

static void set_request(CURL *easy, const struct http_request *request,
                        struct curl_slist *headers, struct incoming *in)
{
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    if (request->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->length);
    }
    if (request->username) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, request->username);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, request->password);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, in);
}

static enum error_code code_of(CURLcode rc)
{
    switch (rc) {
    case CURLE_OPERATION_TIMEDOUT:
        return ERROR_TIMEOUT;
    case CURLE_ABORTED_BY_CALLBACK:
        return ERROR_BUSY;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_URL_MALFORMAT:
        return ERROR_INVALID;
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_OUT_OF_MEMORY: /* libcurl's code also for headers that are too large */
    case CURLE_BAD_CONTENT_ENCODING:
        return ERROR_PROTOCOL;
    default:
        return ERROR_UNREACHABLE;
    }
}

/* ---- advice for failures ---- */

/* Gives "http://host:port" of the URL. */
static char *origin_of(const char *url)
{
    const char *host = strstr(url, "://");
    size_t length = host ? (size_t)(host - url) + 3 : 0;
    return xstrndup(url, length + strcspn(url + length, "/?"));
}

static bool says(const struct http *http, const char *word)
{
    return strcasestr(http->why, word) != NULL;
}

/* Whether OpenSSL or GnuTLS says that the server has answered without TLS. */
static bool is_plain_answer(const struct http *http)
{
    return says(http, "wrong version number") || says(http, "packet length") ||
           says(http, "http request") || says(http, "unexpected TLS packet");
}

/* Whether OpenSSL or GnuTLS says that the connection ended before an answer was
 * read. */
static bool is_cut_off(const struct http *http)
{
    return says(http, "SSL_ERROR_SYSCALL") || says(http, "reset by peer") ||
           says(http, "unexpected eof") || says(http, "pull function") ||
           says(http, "non-properly terminated");
}

static const char *hint_on_certificate(const struct http *http)
{
    if (says(http, "subject name") || says(http, "host name"))
        return "; the URL must have a name that the certificate is made for";
    if (says(http, "expired") || says(http, "not yet valid"))
        return "";
    return http->options->cafile
               ? "; its authority is not in cafile"
               : "; expected cafile with the certificate of its authority (PEM)";
}

/* Advice for a failed connection. A server that has never answered may expect http
 * instead of https, or https instead of http. */
static const char *hint_on(const struct http *http, CURLcode rc, const char *url)
{
    bool secure = strncasecmp(url, "https:", 6) == 0;
    _cleanup_free_ char *origin = origin_of(url);
    bool known = strlist_contains(&http->answered, origin);
    switch (rc) {
    case CURLE_SSL_CONNECT_ERROR:
        return is_plain_answer(http) || (!known && is_cut_off(http))
                   ? "; does it speak plain http:// there?"
                   : "";
    case CURLE_PEER_FAILED_VERIFICATION:
        return hint_on_certificate(http);
    case CURLE_SSL_CACERT_BADFILE:
        return "; expected certificates in PEM in cafile";
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_UNSUPPORTED_PROTOCOL: /* "HTTP/0.9": the answer is not HTTP */
        return secure || known ? "" : "; does it speak https:// there?";
    default:
        return "";
    }
}

static int failed(const struct http *http, CURLcode rc, const char *url,
                  const struct incoming *in, struct error *err)
{
    const char *hint = hint_on(http, rc, url);
    if (rc == CURLE_FILESIZE_EXCEEDED || in->too_large)
        return error_set(err, ERROR_PROTOCOL, "the reply is larger than %zu MiB",
                         http->max_reply >> 20);
    if (rc == CURLE_OUT_OF_MEMORY)
        return error_set(err, code_of(rc), "the reply's headers are too large");
    if (rc == CURLE_UNSUPPORTED_PROTOCOL)
        return error_set(err, code_of(rc), "the reply is not HTTP%s", hint);
    if (rc == CURLE_ABORTED_BY_CALLBACK)
        return error_set(err, ERROR_BUSY, "interrupted");
    return error_set(err, code_of(rc), "%s%s",
                     http->why[0] ? http->why : curl_easy_strerror(rc), hint);
}

static void add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        abort();
    *list = longer;
}

static struct curl_slist *headers_of(const struct http_request *request)
{
    struct curl_slist *list = NULL;
    for (const char *const *line = request->headers; line && *line; line++)
        add_header(&list, *line);
    if (request->authorization)
        add_header(&list, request->authorization);
    return list;
}

/* Some of the headers are credentials. */
static void wipe(struct curl_slist *list)
{
    for (; list; list = list->next)
        explicit_bzero(list->data, strlen(list->data));
}

static void note_answer(struct http *http, const char *url)
{
    _cleanup_free_ char *origin = origin_of(url);
    strlist_add_unique(&http->answered, origin);
}

/* The server may name seconds or a date. */
static void note_retry_after(struct http *http, long status)
{
    curl_off_t seconds = 0;
    if (status == 503 || status == 429)
        curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &seconds);
    http->retry_after = seconds > UINT_MAX ? UINT_MAX : (unsigned)seconds;
}

static int perform_once(struct http *http, const struct http_request *request,
                        struct http_reply *reply, struct error *err)
{
    _cleanup_(curl_slist_free_allp) struct curl_slist *headers = headers_of(request);
    struct incoming in = {.max = http->max_reply};
    curl_easy_reset(http->easy);
    http->why[0] = 0;
    http->retry_after = 0;
    set_transport(http);
    set_request(http->easy, request, headers, &in);
    http->requests++;
    CURLcode rc = curl_easy_perform(http->easy);
    wipe(headers);
    if (rc != CURLE_OK) {
        free(in.data);
        return failed(http, rc, request->url, &in, err);
    }
    note_answer(http, request->url);
    http_reply_clear(reply);
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &reply->status);
    note_retry_after(http, reply->status);
    reply->body = in.data ? in.data : xstrdup("");
    reply->length = in.length;
    return 0;
}

void http_reply_clear(struct http_reply *reply)
{
    free(reply->body);
    *reply = (struct http_reply){0};
}

/* Waits between two attempts. False when it was interrupted, also by a signal. */
static bool wait_for(const struct http *http, double seconds)
{
    for (long left = (long)(seconds * 1000); left > 0; left -= 1000) {
        long step = left < 1000 ? left : 1000;
        const struct timespec time = {step / 1000, step % 1000 * 1000000};
        if (is_interrupted(http) || nanosleep(&time, NULL) != 0)
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
    while (retry-- && delay < LONGEST_DELAY)
        delay *= 2;
    return delay < LONGEST_DELAY ? delay : LONGEST_DELAY;
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
                 http->retry_after <= LONGEST_DELAY &&
                 statuses < options->status_code_retries)
            delay = fmax(delay_before(statuses++, options->status_code_retry_delay),
                         http->retry_after);
        else {
            if (rc != 0 && err)
                *err = why;
            return rc;
        }
        if (!wait_for(http, delay))
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
