#include "agent/backend/vgpu_params.h"

#include <errno.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/user.h"
#include "lib/xalloc.h"

int error_not_writable(const char *what, const char *file, struct error *err)
{
    _cleanup_free_ char *user = user_name(geteuid());
    return error_set(
        err, ERROR_FORBIDDEN,
        "no permission to %s: its \"%s\" must be writable for the user %s; "
        "udev's rule 90-vgpu-agent.rules gives it to the group vgpu-agent "
        "(udevadm control --reload && udevadm trigger)",
        what, file, user);
}

int vgpu_params_clear(int folder, const char *name, bool *absent, struct error *err)
{
    struct error store = {0};
    *absent = faccessat(folder, VGPU_PARAMETERS, F_OK, 0) != 0 && errno == ENOENT;
    if (*absent || attribute_store_at(folder, VGPU_PARAMETERS, " ", &store) == 0)
        return 0;
    if (store.errnum == EACCES) {
        _cleanup_free_ char *what = xasprintf("clear %s of its parameters", name);
        return error_not_writable(what, VGPU_PARAMETERS, err);
    }
    if (store.errnum == EPERM || store.errnum == EBUSY)
        return error_set(err, ERROR_BUSY,
                         "the driver does not let %s be cleared of its parameters, as "
                         "if a guest had it",
                         name);
    return error_set_errno(err, store.errnum, "clearing %s of its parameters", name);
}
