#include "tests/fuzz/api.h"

#include <stdlib.h>

void fuzz_api_start(struct dispatch *api)
{
    static const struct strlist nothing;
    const struct policy_options policy = {0};
    const struct store_options options = {.incomplete_project_id = "p",
                                          .incomplete_user_id = "u",
                                          .max_allocation_candidates = 100};
    struct error err;
    if (policy_new(&policy, &api->policy, &err) != 0 ||
        store_open(":memory:", &options, &api->store, &err) != 0)
        abort();
    api->cors = (struct cors){.origins = &nothing,
                              .headers = &nothing,
                              .methods = &nothing,
                              .exposed = &nothing};
}

void fuzz_api_undo(struct dispatch *api)
{
    struct error err;
    api->pool = (struct budget_pool){0};
    if (!store_is_changed(api->store))
        return;
    /* What memory has let through, no table may refuse: one refusal costs all that are
     * committed together. */
    if (api->store->failed)
        abort();
    api->store->failed = true;
    store_commit(api->store, &err);
    if (api->store->lost)
        abort();
}
