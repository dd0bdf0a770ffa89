#include "placement/server/message/identity.h"

#include <stdlib.h>

void identity_clear(struct identity *identity)
{
    free(identity->user_id);
    free(identity->project_id);
    free(identity->domain_id);
    free(identity->user_domain_id);
    free(identity->project_domain_id);
    free(identity->roles);
    free(identity->system_scope);
    *identity = (struct identity){0};
}
