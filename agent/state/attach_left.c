#include "agent/state/attach_left.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/state/boot_clock.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/json_read.h"
#include "lib/xalloc.h"

#define MAX_SIZE (8 << 20)
#define FOUND_AT "left_found_at"

char *attach_left_file(const char *state_file)
{
    return xasprintf("%s.guests", state_file);
}

/* Of this boot, by a daemon that may have left a call. Older ones say only whether they
 * attach devices. */
static bool is_left(struct json_object *json)
{
    const struct boot_time now = boot_time_now();
    const char *says = json_member(json, "may_be_left") ? "may_be_left" : "attaches";
    const char *boot;
    bool left;
    return json_get_string(json, "boot", &boot, NULL) == 0 &&
           strcmp(boot, now.boot) == 0 && json_get_bool(json, says, &left, NULL) == 0 &&
           left;
}

static void note(const char *path, struct json_object *json, int64_t now)
{
    const char *name;
    _cleanup_close_ int folder = file_open_folder(path, &name, NULL);
    if (folder < 0 ||
        json_object_object_add(json, FOUND_AT, json_object_new_int64(now)) != 0)
        return;
    const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
    (void)file_replace_lightly_at(folder, name, text, strlen(text), 0600, NULL);
}

/* What cannot be read may be of a daemon that attached devices. The time since it was
 * written last ends that, and so does a boot since, as after a power cut; where not even
 * this is known it begins now. */
static int64_t until_unread(const char *path, int64_t now)
{
    struct stat st;
    int64_t age = 0;
    if (lstat(path, &st) == 0)
        age = time(NULL) - st.st_mtim.tv_sec;
    else if (errno == ENOENT)
        return 0;
    if (age < 0)
        age = 0;
    return age <= now && age < ATTACH_LEFT_TIME ? now - age + ATTACH_LEFT_TIME : 0;
}

int64_t attach_left_until(const char *state_file, int64_t now)
{
    _cleanup_json_ struct json_object *json = NULL;
    _cleanup_free_ char *path = attach_left_file(state_file), *text = NULL;
    size_t length;
    int64_t found_at = now;
    if (file_read_at(AT_FDCWD, path, MAX_SIZE, &text, &length, NULL) != 0 ||
        json_parse(text, length, &json, NULL) != 0)
        return until_unread(path, now);
    if (!is_left(json))
        return 0;
    if (!json_member(json, FOUND_AT) ||
        json_get_int64(json, FOUND_AT, &found_at, NULL) != 0 || found_at > now) {
        found_at = now;
        note(path, json, now);
    }
    return now < found_at + ATTACH_LEFT_TIME ? found_at + ATTACH_LEFT_TIME : 0;
}
