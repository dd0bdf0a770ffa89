#include "agent/report/guests_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/report/report_file.h"
#include "agent/state/attach_left.h"
#include "agent/state/boot_clock.h"
#include "lib/files.h"
#include "lib/json_read.h"
#include "lib/json_write.h"
#include "lib/xalloc.h"

#define MAX_SIZE (8 << 20)

void guests_report_clear(struct guests_report *report)
{
    free(report->reason);
    guests_clear(&report->guests);
    problems_clear(&report->problems);
    *report = (struct guests_report){0};
}

/* ---- writing ---- */

static void write_row(struct json_writer *w, const struct guest_row *row)
{
    json_write_begin_object(w);
    json_write_string_member(w, "consumer", row->consumer);
    json_write_string_member(w, "state", guest_row_state(row));
    json_write_string_member(w, "reason", row->reason);
    json_write_int_member(w, "since", row->since);
    json_write_end_object(w);
}

static char *text_of(const struct guests_report *report)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    const struct boot_time boot = boot_time_now();
    json_write_int_member(&w, "daemon", getpid());
    json_write_string_member(&w, "boot", boot.boot);
    json_write_bool_member(&w, "attaches", report->attaches);
    json_write_bool_member(&w, "may_be_left", report->may_be_left);
    json_write_string_member(&w, "reason", report->reason);
    json_write_key(&w, "guests");
    json_write_begin_array(&w);
    for (size_t i = 0; i < report->guests.count; i++)
        write_row(&w, &report->guests.rows[i]);
    json_write_end_array(&w);
    json_write_key(&w, "problems");
    json_write_begin_array(&w);
    for (size_t i = 0; i < report->problems.count; i++)
        json_write_string(&w, report->problems.items[i].text);
    json_write_end_array(&w);
    json_write_end_object(&w);
    return json_writer_take(&w, NULL);
}

int guests_file_write(struct guests_file *file, const char *state_file,
                      const struct guests_report *report, struct error *err)
{
    _cleanup_free_ char *text = text_of(report);
    _cleanup_free_ char *path = attach_left_file(state_file);
    if (file->text && strcmp(file->text, text) == 0)
        return 0;
    free(steal(file->text));
    if (report_file_write(path, text, err) != 0)
        return error_prefix(err, "how the guests stand cannot be noted");
    file->text = steal(text);
    return 0;
}

void guests_file_remove(struct guests_file *file, const char *state_file)
{
    _cleanup_free_ char *path = attach_left_file(state_file);
    (void)unlink(path);
    free(steal(file->text));
}

/* ---- reading ---- */

static int read_row(struct json_object *json, struct guests *out, struct error *err)
{
    struct guest_row row = {.lacking_since = -1, .surplus_since = -1};
    const char *state, *reason;
    if (json_get_uuid(json, "consumer", row.consumer, err) != 0 ||
        json_get_string(json, "state", &state, err) != 0 ||
        json_get_string_or_null(json, "reason", &reason, err) != 0 ||
        json_get_int64(json, "since", &row.since, err) != 0)
        return -1;
    row.known = guest_state_parse(state, &row.state);
    row.reason = xstrdup(reason);
    *array_add(out->rows, out->count) = row;
    return 0;
}

static int read_problems(struct json_object *json, struct problem_list *out,
                         struct error *err)
{
    _cleanup_strlist_ struct strlist texts = {0};
    if (json_get_strings(json, "problems", &texts, err) != 0)
        return -1;
    for (size_t i = 0; i < texts.count; i++)
        problems_add(out, NULL, texts.items[i]);
    return 0;
}

static int read_report(struct json_object *json, struct guests_report *out,
                       struct error *err)
{
    const char *reason;
    struct json_object *rows;
    if (json_get_bool(json, "attaches", &out->attaches, err) != 0 ||
        json_get_string_or_null(json, "reason", &reason, err) != 0 ||
        json_get_array(json, "guests", &rows, err) != 0)
        return -1;
    out->reason = xstrdup(reason);
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        if (read_row(json_object_array_get_idx(rows, i), &out->guests, err) != 0)
            return error_prefix(err, "guests[%zu]", i);
    return read_problems(json, &out->problems, err);
}

static int read_file(const char *state_file, struct json_object **out,
                     struct error *err)
{
    _cleanup_free_ char *path = attach_left_file(state_file), *text = NULL;
    size_t length;
    if (file_read_at(AT_FDCWD, path, MAX_SIZE, &text, &length, err) != 0)
        return -1;
    return json_parse(text, length, out, err) == 0 ? 0 : error_prefix(err, "%s", path);
}

int guests_file_read(const char *state_file, pid_t pid, struct guests_report *out,
                     struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    _cleanup_guests_report_ struct guests_report report = {0};
    int64_t daemon;
    if (read_file(state_file, &json, err) != 0 ||
        json_get_int64(json, "daemon", &daemon, err) != 0)
        return -1;
    if (daemon != (int64_t)pid)
        return error_set(err, ERROR_NOT_FOUND, "the daemon has not noted it yet");
    if (read_report(json, &report, err) != 0)
        return -1;
    *out = report;
    report = (struct guests_report){0};
    return 0;
}
