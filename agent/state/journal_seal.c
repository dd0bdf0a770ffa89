#include "agent/state/journal_seal.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

#define CHECKSUM_KEY ",\"checksum\":\""
#define CHECKSUM_LENGTH (strlen(CHECKSUM_KEY) + UUID_TEXT_SIZE - 1 + strlen("\"}\n"))

/* The caller frees. */
static char *seal_of(const char *body)
{
    char sum[UUID_TEXT_SIZE];
    uuid5_text(JOURNAL_CHECKSUM_SPACE, body, sum);
    return xasprintf(CHECKSUM_KEY "%s\"}\n", sum);
}

char *journal_seal(const char *body)
{
    _cleanup_free_ char *seal = seal_of(body);
    return xasprintf("%s%s", body, seal);
}

int journal_check_seal(const char *text, size_t length, struct error *err)
{
    if (length > CHECKSUM_LENGTH) {
        size_t body_length = length - CHECKSUM_LENGTH;
        _cleanup_free_ char *body = xstrndup(text, body_length);
        _cleanup_free_ char *seal = seal_of(body);
        if (strncmp(text + body_length, seal, CHECKSUM_LENGTH) == 0)
            return 0;
    }
    return error_set(err, ERROR_INVALID, "the checksum does not match the content");
}
