/* The patterns of names in schema.h. */
#include <ctype.h>
#include <string.h>

#include "placement/server/schema/schema.h"

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static bool is_class_name(const char *text)
{
    return *text && !text[strspn(text, CAPITALS)];
}

static bool is_custom_name(const char *text)
{
    return strncmp(text, "CUSTOM_", 7) == 0 && is_class_name(text + 7);
}

static bool has_uuid_characters(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36;
}

static bool has_suffix_character(const char *text)
{
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || *text == '_' || *text == '-')
            return true;
    return false;
}

/* Upstream's second alternative has no '$', so that "all" passes with anything behind
 * it. */
static bool is_usage_consumer_type(const char *text)
{
    return is_class_name(text) || strncmp(text, "all", 3) == 0 ||
           strcmp(text, "unknown") == 0;
}

static bool is_positive(const char *text)
{
    return *text >= '1' && *text <= '9' && !text[strspn(text, "0123456789")];
}

const struct schema_pattern schema_class_name = {"^[A-Z0-9_]+$", is_class_name},
                            schema_custom_name = {"^CUSTOM_[A-Z0-9_]+$",
                                                  is_custom_name},
                            schema_uuid_chars = {"^[0-9a-fA-F-]{36}$",
                                                 has_uuid_characters},
                            schema_any_suffix = {"[a-zA-Z0-9_-]{1,64}",
                                                 has_suffix_character},
                            schema_usage_consumer_type = {"^[A-Z0-9_]+$|^all|^unknown$",
                                                          is_usage_consumer_type},
                            schema_positive = {"^[1-9][0-9]*$", is_positive};
