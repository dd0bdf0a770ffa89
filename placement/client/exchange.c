#include "placement/client/exchange.h"

#include <limits.h>
#include <string.h>

#include "lib/xalloc.h"

#define DEFAULT_TIMEOUT 30.0 /* seconds */
#define CONNECT_TIMEOUT 10.0

void exchange_open(struct exchange *exchange, struct http *http)
{
    *exchange = (struct exchange){.http = http, .easy = curl_easy_init()};
    if (!exchange->easy)
        abort();
}

/* Some of the headers are credentials. */
static void drop_headers(struct exchange *exchange)
{
    for (struct curl_slist *line = exchange->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
}

void exchange_close(struct exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    drop_headers(exchange);
    free(exchange->in.data);
    *exchange = (struct exchange){0};
}

/* The buffer grows by doubling. */
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

static int progress(void *context, curl_off_t down, curl_off_t downloaded,
                    curl_off_t up, curl_off_t uploaded)
{
    (void)down, (void)downloaded, (void)up, (void)uploaded;
    return http_is_interrupted(context);
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

static void set_transport(struct exchange *exchange)
{
    struct http *http = exchange->http;
    CURL *easy = exchange->easy;
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
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->why);
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

/* Of the request: no redirect is followed. */
static const char *url_of(const struct exchange *exchange)
{
    char *url = NULL;
    curl_easy_getinfo(exchange->easy, CURLINFO_EFFECTIVE_URL, &url);
    return url ? url : "";
}

/* Gives "http://host:port" of the URL. */
static char *origin_of(const char *url)
{
    const char *host = strstr(url, "://");
    size_t length = host ? (size_t)(host - url) + 3 : 0;
    return xstrndup(url, length + strcspn(url + length, "/?"));
}

static bool says(const struct exchange *exchange, const char *word)
{
    return strcasestr(exchange->why, word) != NULL;
}

/* Whether OpenSSL or GnuTLS says that the server has answered without TLS. */
static bool is_plain_answer(const struct exchange *exchange)
{
    return says(exchange, "wrong version number") || says(exchange, "packet length") ||
           says(exchange, "http request") || says(exchange, "unexpected TLS packet");
}

/* Whether OpenSSL or GnuTLS says that the connection ended before an answer was
 * read. */
static bool is_cut_off(const struct exchange *exchange)
{
    return says(exchange, "SSL_ERROR_SYSCALL") || says(exchange, "reset by peer") ||
           says(exchange, "unexpected eof") || says(exchange, "pull function") ||
           says(exchange, "non-properly terminated");
}

static const char *hint_on_certificate(const struct exchange *exchange)
{
    if (says(exchange, "subject name") || says(exchange, "host name"))
        return "; the URL must have a name that the certificate is made for";
    if (says(exchange, "expired") || says(exchange, "not yet valid"))
        return "";
    return exchange->http->options->cafile
               ? "; its authority is not in cafile"
               : "; expected cafile with the certificate of its authority (PEM)";
}

/* Advice for a failed connection. A server that has never answered may expect http
 * instead of https, or https instead of http. */
static const char *hint_on(const struct exchange *exchange, CURLcode rc,
                           const char *url)
{
    bool secure = strncasecmp(url, "https:", 6) == 0;
    _cleanup_free_ char *origin = origin_of(url);
    bool known = strlist_contains(&exchange->http->answered, origin);
    switch (rc) {
    case CURLE_SSL_CONNECT_ERROR:
        return is_plain_answer(exchange) || (!known && is_cut_off(exchange))
                   ? "; does it speak plain http:// there?"
                   : "";
    case CURLE_PEER_FAILED_VERIFICATION:
        return hint_on_certificate(exchange);
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

static int failed(const struct exchange *exchange, CURLcode rc, struct error *err)
{
    const char *hint = hint_on(exchange, rc, url_of(exchange));
    if (rc == CURLE_FILESIZE_EXCEEDED || exchange->in.too_large)
        return error_set(err, ERROR_PROTOCOL, "the reply is larger than %zu MiB",
                         exchange->http->max_reply >> 20);
    if (rc == CURLE_OUT_OF_MEMORY)
        return error_set(err, code_of(rc), "the reply's headers are too large");
    if (rc == CURLE_UNSUPPORTED_PROTOCOL)
        return error_set(err, code_of(rc), "the reply is not HTTP%s", hint);
    if (rc == CURLE_ABORTED_BY_CALLBACK)
        return error_set(err, ERROR_BUSY, "interrupted");
    return error_set(err, code_of(rc), "%s%s",
                     exchange->why[0] ? exchange->why : curl_easy_strerror(rc), hint);
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

/* ---- one after the other ---- */

void exchange_begin(struct exchange *exchange, const struct http_request *request)
{
    exchange->in = (struct incoming){.max = exchange->http->max_reply};
    exchange->headers = headers_of(request);
    exchange->why[0] = 0;
    curl_easy_reset(exchange->easy);
    set_transport(exchange);
    set_request(exchange->easy, request, exchange->headers, &exchange->in);
    exchange->http->requests++;
}

static void note_answer(const struct exchange *exchange)
{
    _cleanup_free_ char *origin = origin_of(url_of(exchange));
    strlist_add_unique(&exchange->http->answered, origin);
}

/* The server may name seconds or a date. */
static unsigned retry_after(const struct exchange *exchange, long status)
{
    curl_off_t seconds = 0;
    if (status == 503 || status == 429)
        curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &seconds);
    return seconds > UINT_MAX ? UINT_MAX : (unsigned)seconds;
}

static void note_request_id(const struct exchange *exchange, struct http_reply *reply)
{
    struct curl_header *header;
    if (curl_easy_header(exchange->easy, "x-openstack-request-id", 0, CURLH_HEADER, -1,
                         &header) == CURLHE_OK)
        snprintf(reply->request_id, sizeof reply->request_id, "%s", header->value);
}

int exchange_end(struct exchange *exchange, CURLcode rc, struct http_reply *reply,
                 struct error *err)
{
    _cleanup_free_ char *body = steal(exchange->in.data);
    drop_headers(exchange);
    if (rc != CURLE_OK)
        return failed(exchange, rc, err);
    note_answer(exchange);
    http_reply_clear(reply);
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &reply->status);
    reply->retry_after = retry_after(exchange, reply->status);
    note_request_id(exchange, reply);
    reply->length = exchange->in.length;
    reply->body = body ? steal(body) : xstrdup("");
    return 0;
}
