#include "lib/uuid.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "lib/text_copy.h"

_Static_assert(UUID_TEXT_SIZE == UUID_STR_LEN, "libuuid's text form");

bool uuid_parse_text(const char *text, char out[UUID_TEXT_SIZE])
{
    uuid_t id;
    /* libuuid looks at the first 36 characters only, so a longer text would pass. */
    if (strlen(text) != UUID_TEXT_SIZE - 1 || uuid_parse(text, id) != 0)
        return false;
    uuid_unparse_lower(id, out);
    return true;
}

void uuid5_text(const char *space, const char *name, char out[UUID_TEXT_SIZE])
{
    uuid_t namespace, id;
    int rc = uuid_parse(space, namespace);
    assert(rc == 0);
    (void)rc;
    uuid_generate_sha1(id, namespace, name, strlen(name));
    uuid_unparse_lower(id, out);
}

void uuid4_text(char out[UUID_TEXT_SIZE])
{
    uuid_t id;
    uuid_generate_random(id);
    uuid_unparse_lower(id, out);
}

void uuid_text_copy(char to[UUID_TEXT_SIZE], const char *from)
{
    text_copy(to, UUID_TEXT_SIZE, from);
}
