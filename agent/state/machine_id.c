#include "agent/state/machine_id.h"

#include <fcntl.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/xalloc.h"

#define PLACE "etc/machine-id"
#define LENGTH 32 /* hexadecimal digits */
/* A namespace of our own, so that the result cannot be matched with the ids that other
 * programs derive from the file. */
#define SPACE "8f2d8f2a-6d5c-4c57-9d0e-0f6a4b7b5f6e"

void machine_id_read(const char *host_root, char out[UUID_TEXT_SIZE])
{
    _cleanup_free_ char *path = xasprintf("%s/" PLACE, host_root), *text = NULL;
    size_t length;
    *out = 0;
    if (file_read_at(AT_FDCWD, path, 4096, &text, &length, NULL) != 0 ||
        strspn(text, "0123456789abcdefABCDEF") != LENGTH)
        return;
    text[LENGTH] = 0;
    uuid5_text(SPACE, text, out);
}
