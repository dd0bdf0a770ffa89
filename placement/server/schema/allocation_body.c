#include "placement/server/schema/allocation_body.h"

static const struct schema uuid = {.type = SCHEMA_STRING, .uuid = true};
static const struct schema any_integer = {.type = SCHEMA_INTEGER};
static const struct schema generation = {.type = SCHEMA_INTEGER_OR_NULL};
static const struct schema amount = {
    .type = SCHEMA_INTEGER, .has_minimum = true, .minimum = 1};
static const struct schema id = {
    .type = SCHEMA_STRING, .min_length = 1, .max_length = 255, .length_first = true};
static const struct schema consumer_type = {.type = SCHEMA_STRING,
                                            .pattern = &schema_class_name,
                                            .min_length = 1,
                                            .max_length = 255};
static const struct schema resources = {
    .type = SCHEMA_OBJECT,
    .min_properties = 1,
    .pattern_names = &schema_class_name,
    .pattern_schema = &amount,
};

/* ---- a list, before 1.12 ---- */

static const struct schema provider = {
    .type = SCHEMA_OBJECT,
    .further_are_told_first = true,
    .properties = (const struct schema_property[]){{"uuid", &uuid, true}, {0}},
};
static const struct schema list_item = {
    .type = SCHEMA_OBJECT,
    .properties =
        (const struct schema_property[]){{"resource_provider", &provider, true},
                                         {"resources", &resources, true},
                                         {0}},
};
static const struct schema list = {
    .type = SCHEMA_ARRAY, .min_items = 1, .items = &list_item};

static const struct schema put_0 = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"allocations", &list, true}, {0}},
};
static const struct schema put_8 = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"allocations", &list, true},
                                                   {"project_id", &id, true},
                                                   {"user_id", &id, true},
                                                   {0}},
};

/* ---- an object by provider, since 1.12 ---- */

static const struct schema of_provider = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"generation", &any_integer},
                                                   {"resources", &resources, true},
                                                   {0}},
};
static const struct schema some = {
    .type = SCHEMA_OBJECT,
    .min_properties = 1,
    .pattern_names = &schema_uuid_chars,
    .pattern_schema = &of_provider,
};
static const struct schema some_or_none = {
    .type = SCHEMA_OBJECT,
    .pattern_names = &schema_uuid_chars,
    .pattern_schema = &of_provider,
};
static const struct schema mapped = {
    .type = SCHEMA_ARRAY, .min_items = 1, .items = &uuid};
static const struct schema mappings = {
    .type = SCHEMA_OBJECT,
    .min_properties = 1,
    .pattern_names = &schema_any_suffix,
    .pattern_schema = &mapped,
    .open = true,
};

#define WHO                    \
    {"project_id", &id, true}, \
    {                          \
        "user_id", &id, true   \
    }
#define CONSUMER(...)                                          \
    {                                                          \
        .type = SCHEMA_OBJECT, .further_are_told_first = true, \
        .properties = (const struct schema_property[])         \
        {                                                      \
            __VA_ARGS__,                                       \
            {                                                  \
                0                                              \
            }                                                  \
        }                                                      \
    }

static const struct schema put_12 = CONSUMER({"allocations", &some, true}, WHO);
static const struct schema post_13 =
    CONSUMER({"allocations", &some_or_none, true}, WHO);
static const struct schema consumer_28 =
    CONSUMER({"allocations", &some_or_none, true}, WHO,
             {"consumer_generation", &generation, true});
static const struct schema consumer_34 =
    CONSUMER({"allocations", &some_or_none, true}, WHO,
             {"consumer_generation", &generation, true}, {"mappings", &mappings});
static const struct schema consumer_38 =
    CONSUMER({"allocations", &some_or_none, true}, WHO,
             {"consumer_generation", &generation, true}, {"mappings", &mappings},
             {"consumer_type", &consumer_type, true});

#define BY_CONSUMER(schema, least)                                      \
    {                                                                   \
        .type = SCHEMA_OBJECT, .min_properties = (least),               \
        .pattern_names = &schema_uuid_chars, .pattern_schema = (schema) \
    }

/* The forms of a body by their first microversion, the newest first. */
static const struct {
    int since;
    const struct schema *put;
    struct schema post, reshape;
} forms[] = {
    {MICROVERSION_CONSUMER_TYPES, &consumer_38, BY_CONSUMER(&consumer_38, 1),
     BY_CONSUMER(&consumer_38, 0)},
    {MICROVERSION_MAPPINGS, &consumer_34, BY_CONSUMER(&consumer_34, 1),
     BY_CONSUMER(&consumer_34, 0)},
    {MICROVERSION_CONSUMER_GENERATION, &consumer_28, BY_CONSUMER(&consumer_28, 1),
     BY_CONSUMER(&consumer_28, 0)},
    {MICROVERSION_ALLOCATIONS_OBJECT, &put_12, BY_CONSUMER(&post_13, 1),
     BY_CONSUMER(&post_13, 0)},
    {MICROVERSION_CONSUMER_OWNER, &put_8, {0}, {0}},
    {0, &put_0, {0}, {0}},
};

static size_t form_of(int microversion)
{
    size_t i = 0;
    while (forms[i].since > microversion)
        i++;
    return i;
}

const struct schema *allocation_put_schema(int microversion)
{
    return forms[form_of(microversion)].put;
}

const struct schema *allocation_post_schema(int microversion)
{
    return &forms[form_of(microversion)].post;
}

const struct schema *allocation_reshape_schema(int microversion)
{
    return &forms[form_of(microversion)].reshape;
}
