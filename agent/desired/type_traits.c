#include "agent/desired/type_traits.h"

#include <stdbool.h>
#include <string.h>

#include "lib/uuid.h"
#include "lib/xalloc.h"
#include "placement/model.h"

#define PREFIX "CUSTOM_"
#define CHECKSUM_LENGTH 8

/* Does not use isalnum(), which depends on the locale: only ASCII is valid in a trait's
 * name. */
static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Shortens a name that is too long, and appends '_' and a checksum of the whole
 * name. */
static void cut(char *name)
{
    static const char nil[] = "00000000-0000-0000-0000-000000000000";
    char checksum[UUID_TEXT_SIZE];
    uuid5_text(nil, name, checksum);
    char *end = name + PLACEMENT_MAX_NAME - CHECKSUM_LENGTH - 1;
    *end++ = '_';
    for (size_t i = 0; i < CHECKSUM_LENGTH; i++)
        *end++ = upper(checksum[i]);
    *end = 0;
}

char *trait_custom(const char *text)
{
    char *name = xcalloc(strlen(PREFIX) + strlen(text) + 1, 1);
    char *end = stpcpy(name, PREFIX);
    for (const char *p = text; *p; p++) {
        if (is_plain(*p))
            *end++ = upper(*p);
        else if (p == text || is_plain(p[-1]))
            *end++ = '_';
    }
    if (strlen(name) > PLACEMENT_MAX_NAME)
        cut(name);
    return name;
}

static const unsigned display_heads[] = {1, 2, 4, 6, 8};

static const struct resolution {
    unsigned width, height;
} resolutions[] = {
    {320, 240},   {640, 480},   {800, 600},   {1024, 600},  {1024, 768},  {1152, 864},
    {1280, 720},  {1280, 768},  {1280, 800},  {1280, 1024}, {1360, 768},  {1366, 768},
    {1440, 900},  {1600, 900},  {1600, 1200}, {1680, 1050}, {1920, 1080}, {1920, 1200},
    {2560, 1440}, {2560, 1600}, {3840, 2160}, {7680, 4320},
};

void traits_add_standard(struct strlist *traits,
                         const struct type_attributes *attributes)
{
    for (size_t i = 0; i < sizeof display_heads / sizeof *display_heads; i++)
        if (attributes->num_heads == display_heads[i])
            strlist_add_take(
                traits, xasprintf("HW_GPU_MAX_DISPLAY_HEADS_%u", display_heads[i]));
    for (size_t i = 0; i < sizeof resolutions / sizeof *resolutions; i++) {
        const struct resolution *r = &resolutions[i];
        if (r->width <= attributes->max_width && r->height <= attributes->max_height)
            strlist_add_take(
                traits, xasprintf("HW_GPU_RESOLUTION_W%uH%u", r->width, r->height));
    }
}
