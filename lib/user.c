#include "lib/user.h"

#include <pwd.h>
#include <stdint.h>

#include "lib/xalloc.h"

char *user_name(uid_t uid)
{
    const struct passwd *entry = getpwuid(uid);
    return entry ? xstrdup(entry->pw_name) : xasprintf("%ju", (uintmax_t)uid);
}
