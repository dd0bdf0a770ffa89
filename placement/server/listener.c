#include "placement/server/listener.h"

#include <errno.h>
#include <stdio.h>

#include "lib/cleanup.h"

static void name_address(const struct sockaddr *address, char name[LISTENER_NAME_SIZE])
{
    char host[PEER_ADDRESS_SIZE];
    bool v6 = address->sa_family == AF_INET6;
    peer_address(address, host);
    /* The port is at the same place in both families. */
    snprintf(name, LISTENER_NAME_SIZE, v6 ? "[%s]:%u" : "%s:%u", host,
             ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port));
}

int listener_open(const struct listen_address *wanted, int *out,
                  char name[LISTENER_NAME_SIZE], struct error *err)
{
    const struct sockaddr *address = (const struct sockaddr *)&wanted->address;
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;
    _cleanup_close_ int fd =
        socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    name_address(address, name);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) != 0 ||
        bind(fd, address, wanted->length) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &length) != 0)
        return error_set_errno(err, errno, "cannot listen on %s", name);
    name_address((const struct sockaddr *)&bound, name);
    *out = fd;
    fd = -1;
    return 0;
}
