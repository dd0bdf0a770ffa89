/*
 * vfio-hold GROUP UUID: opens a mediated device as a virtual machine does, says "held",
 * and keeps it until its standard input ends.
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int fail(const char *what)
{
    perror(what);
    return 1;
}

int main(int argc, char **argv)
{
    char path[64], c;
    if (argc != 3)
        return 2;
    snprintf(path, sizeof path, "/dev/vfio/%s", argv[1]);
    int container = open("/dev/vfio/vfio", O_RDWR), group = open(path, O_RDWR);
    if (container < 0 || group < 0)
        return fail(path);
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) != 0 ||
        ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) != 0)
        return fail("VFIO_SET_IOMMU");
    if (ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[2]) < 0)
        return fail("VFIO_GROUP_GET_DEVICE_FD");
    puts("held");
    fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) > 0)
        continue;
    return 0;
}
