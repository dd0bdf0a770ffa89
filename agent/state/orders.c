#include "agent/state/orders.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/state/requests.h"
#include "lib/files.h"
#include "lib/json_read.h"
#include "lib/json_write.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

#define MAX_SIZE 16384
#define ORDER "order"
#define ANSWER "answer"

static const char *const kinds[] = {
    [ORDER_CREATE] = "create",
    [ORDER_REMOVE] = "remove",
    [ORDER_PARAMETERS] = "parameters",
};

void order_clear(struct order *order)
{
    free(order->device);
    free(order->type);
    free(order->gpu);
    free(order->parameters);
    *order = (struct order){0};
}

void order_list_clear(struct order_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        order_clear(&list->orders[i]);
    free(list->orders);
    *list = (struct order_list){0};
}

/* ---- the files ---- */

static int write_file(const char *state_file, const char *what, const char *device,
                      char *text, struct error *err)
{
    const char *base;
    _cleanup_free_ char *content = text;
    if (!*device || strchr(device, '/'))
        return error_set(err, ERROR_INVALID, "'%s' is no name of a device", device);
    _cleanup_close_ int folder = file_open_folder(state_file, &base, err);
    if (folder < 0)
        return -1;
    _cleanup_free_ char *name = xasprintf("%s.%s.%s", base, what, device);
    return file_replace_at(folder, name, content, strlen(content), 0600, err);
}

static int read_file(const char *state_file, const char *what, const char *device,
                     struct json_object **out, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("%s.%s.%s", state_file, what, device);
    _cleanup_free_ char *text = NULL;
    size_t length;
    if (file_read_at(AT_FDCWD, path, MAX_SIZE, &text, &length, err) != 0)
        return -1;
    return json_parse(text, length, out, err);
}

/* ---- orders ---- */

static int read_optional(struct json_object *json, const char *name, char **out,
                         struct error *err)
{
    const char *text;
    if (json_get_string_or_null(json, name, &text, err) != 0)
        return -1;
    *out = xstrdup(text);
    return 0;
}

static int read_kind(struct json_object *json, enum order_kind *out, struct error *err)
{
    const char *text;
    if (json_get_string(json, "kind", &text, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i], text) == 0) {
            *out = (enum order_kind)i;
            return 0;
        }
    return error_set(err, ERROR_UNSUPPORTED, "kind: '%s' is not known", text);
}

static int check(const struct order *order, struct error *err)
{
    if (order->kind == ORDER_CREATE && !order->type)
        return error_set(err, ERROR_INVALID, "type: is missing");
    if (order->kind == ORDER_PARAMETERS && !order->parameters)
        return error_set(err, ERROR_INVALID, "parameters: is missing");
    return 0;
}

static int read_order(const char *state_file, const char *device, struct order *order,
                      struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    order->device = xstrdup(device);
    if (read_file(state_file, ORDER, device, &json, err) != 0 ||
        read_kind(json, &order->kind, err) != 0 ||
        read_optional(json, "type", &order->type, err) != 0 ||
        read_optional(json, "gpu", &order->gpu, err) != 0 ||
        read_optional(json, "parameters", &order->parameters, err) != 0 ||
        json_get_bool(json, "force", &order->force, err) != 0)
        return -1;
    return check(order, err);
}

void orders_read(const char *state_file, const struct strlist *devices,
                 struct order_list *out)
{
    order_list_clear(out);
    for (size_t i = 0; i < devices->count; i++) {
        struct order order = {0};
        struct error ignored;
        if (read_order(state_file, devices->items[i], &order, &ignored) == 0)
            *array_add(out->orders, out->count) = order;
        else
            order_clear(&order);
    }
}

int order_give(const char *state_file, const struct order *order, struct error *err)
{
    struct json_writer w = {0};
    struct order_answer former = {0};
    if (order_answer_take(state_file, order->device, &former))
        free(former.text);
    json_write_begin_object(&w);
    json_write_string_member(&w, "kind", kinds[order->kind]);
    json_write_string_member(&w, "type", order->type);
    json_write_string_member(&w, "gpu", order->gpu);
    json_write_string_member(&w, "parameters", order->parameters);
    json_write_bool_member(&w, "force", order->force);
    json_write_end_object(&w);
    return write_file(state_file, ORDER, order->device, json_writer_take(&w, NULL),
                      err);
}

int order_withdraw(const char *state_file, const char *device, struct error *err)
{
    return requests_withdraw(state_file, REQUEST_ORDER, device, NULL, err);
}

/* ---- answers ---- */

int order_answer_write(const char *state_file, const char *device,
                       const struct order_answer *answer, struct error *err)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_int_member(&w, "code", answer->refusal.code);
    json_write_string_member(&w, "refusal",
                             answer->refusal.code ? answer->refusal.text : NULL);
    json_write_string_member(&w, "text", answer->text);
    json_write_end_object(&w);
    return write_file(state_file, ANSWER, device, json_writer_take(&w, NULL), err);
}

static int read_answer(const char *state_file, const char *device,
                       struct order_answer *answer, struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    int64_t code;
    const char *refusal;
    if (read_file(state_file, ANSWER, device, &json, err) != 0 ||
        json_get_int64(json, "code", &code, err) != 0 ||
        json_get_string_or_null(json, "refusal", &refusal, err) != 0)
        return -1;
    *answer = (struct order_answer){0};
    if (refusal)
        (void)error_set(&answer->refusal, code > 0 ? (enum error_code)code : ERROR_IO,
                        "%s", refusal);
    return read_optional(json, "text", &answer->text, err);
}

bool order_answer_take(const char *state_file, const char *device,
                       struct order_answer *answer)
{
    struct error ignored;
    if (read_answer(state_file, device, answer, &ignored) != 0)
        return false;
    (void)requests_withdraw(state_file, REQUEST_ANSWER, device, NULL, NULL);
    return true;
}

void order_answers_forget(const char *state_file)
{
    (void)requests_withdraw_all(state_file, REQUEST_ANSWER, NULL);
}
