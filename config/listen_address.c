#include "config/listen_address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

/* Splits "HOST:PORT"; false when the text has no such form. */
static bool split(const char *text, char **host, const char **port)
{
    const char *colon = strrchr(text, ':');
    *port = colon ? colon + 1 : text;
    if (!**port || strspn(*port, "0123456789") != strlen(*port) ||
        strlen(*port) > strlen("65535"))
        return false;
    if (!colon) {
        *host = xstrdup("127.0.0.1");
        return true;
    }
    size_t length = (size_t)(colon - text);
    bool bracketed = length >= 2 && text[0] == '[' && colon[-1] == ']';
    if (length == 0 || (!bracketed && memchr(text, ':', length)))
        return false;
    *host = bracketed ? xstrndup(text + 1, length - 2) : xstrndup(text, length);
    return true;
}

static void freeaddrinfo_p(struct addrinfo *const *list)
{
    if (*list)
        freeaddrinfo(*list);
}

int listen_address_parse(const char *text, struct listen_address *out,
                         struct error *err)
{
    static const char accepted[] = "expected HOST:PORT, [IPv6]:PORT or PORT, with a "
                                   "numeric address or localhost as the host";
    _cleanup_free_ char *host = NULL;
    const char *port;
    _cleanup_(freeaddrinfo_p) struct addrinfo *list = NULL;
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_socktype = SOCK_STREAM,
    };
    /* glibc takes "*" for loopback, and who writes it means all addresses. */
    if (!split(text, &host, &port) || strcmp(host, "*") == 0 ||
        getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints,
                    &list) != 0)
        return error_set(err, ERROR_INVALID, "'%.200s': %s", text, accepted);
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)list->ai_addr;
    if (ntohs(v4->sin_port) != strtoul(port, NULL, 10)) /* glibc takes 65536 for 0 */
        return error_set(err, ERROR_INVALID, "'%.200s': a port is at most 65535", text);
    if (out) {
        *out = (struct listen_address){.length = list->ai_addrlen};
        memcpy(&out->address, list->ai_addr, list->ai_addrlen);
    }
    return 0;
}

bool listen_address_is_loopback(const struct listen_address *address)
{
    if (address->address.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->address;
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->address;
    return address->address.ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}
