#include "config/listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#include "lib/cleanup.h"

static void name_address(const struct listen_address *address,
                         char name[LISTENER_NAME_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "?", port[8] = "?";
    (void)getnameinfo((const struct sockaddr *)&address->address, address->length, host,
                      sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(name, LISTENER_NAME_SIZE,
             address->address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

int listener_open(const struct listen_address *wanted, int *out,
                  char name[LISTENER_NAME_SIZE], struct error *err)
{
    struct listen_address bound = {.length = sizeof bound.address};
    _cleanup_close_ int fd = socket(wanted->address.ss_family,
                                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    name_address(wanted, name);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) != 0 ||
        bind(fd, (const struct sockaddr *)&wanted->address, wanted->length) != 0 ||
        listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound.address, &bound.length) != 0)
        return error_set_errno(err, errno, "cannot listen on %s", name);
    name_address(&bound, name);
    *out = fd;
    fd = -1;
    return 0;
}
