/*
 * microversion: what each microversion of the Placement API brought; the value is the
 * number after "1.". Requests before 1.1 have the first form of everything. The source
 * is Placement's own list, "REST API Version History" in its documentation.
 */
#ifndef PLACEMENT_MICROVERSION_H
#define PLACEMENT_MICROVERSION_H

enum {
    MICROVERSION_AGGREGATES = 1,          /* /resource_providers/{uuid}/aggregates */
    MICROVERSION_RESOURCE_CLASSES = 2,    /* /resource_classes, custom ones included */
    MICROVERSION_LIST_BY_AGGREGATE = 3,   /* member_of in GET /resource_providers */
    MICROVERSION_LIST_BY_RESOURCES = 4,   /* resources in GET /resource_providers */
    MICROVERSION_DELETE_INVENTORIES = 5,  /* all of a provider at once */
    MICROVERSION_TRAITS = 6,              /* /traits, and those of a provider */
    MICROVERSION_ENSURE_CLASS = 7,        /* PUT of a class creates; it renamed */
    MICROVERSION_CONSUMER_OWNER = 8,      /* allocations name project and user */
    MICROVERSION_USAGES = 9,              /* GET /usages, of a project */
    MICROVERSION_CANDIDATES = 10,         /* GET /allocation_candidates */
    MICROVERSION_ALLOCATIONS_LINK = 11,   /* among the links of a provider */
    MICROVERSION_ALLOCATIONS_OBJECT = 12, /* by provider; they were a list */
    MICROVERSION_POST_ALLOCATIONS = 13,   /* of several consumers at once */
    MICROVERSION_NESTED_PROVIDERS = 14,   /* parents, roots, in_tree */
    MICROVERSION_LAST_MODIFIED = 15,      /* with cache-control, in replies */
    MICROVERSION_CANDIDATES_LIMIT = 16,   /* limit */
    MICROVERSION_CANDIDATES_TRAITS = 17,  /* required; traits in summaries */
    MICROVERSION_LIST_BY_TRAITS = 18,     /* required in GET /resource_providers */
    MICROVERSION_AGGREGATES_GENERATION = 19, /* the provider's, both ways */
    MICROVERSION_CREATED_PROVIDER = 20,      /* in the reply to POST; it was empty */
    MICROVERSION_CANDIDATES_AGGREGATES = 21, /* member_of */
    MICROVERSION_FORBIDDEN_TRAITS = 22,      /* required=!NAME */
    MICROVERSION_ERROR_CODE = 23,            /* `code` in error bodies */
    MICROVERSION_REPEATED_MEMBER_OF = 24,    /* all of them must be true */
    MICROVERSION_REQUEST_GROUPS = 25,        /* resources1, required1, group_policy */
    MICROVERSION_ALL_RESERVED = 26,          /* an inventory may reserve all it has */
    MICROVERSION_ALL_CLASSES = 27,          /* in summaries; they had those asked for */
    MICROVERSION_CONSUMER_GENERATION = 28,  /* in allocations, both ways */
    MICROVERSION_NESTED_CANDIDATES = 29,    /* several providers of one tree */
    MICROVERSION_RESHAPER = 30,             /* POST /reshaper */
    MICROVERSION_CANDIDATES_IN_TREE = 31,   /* in_tree */
    MICROVERSION_FORBIDDEN_AGGREGATES = 32, /* member_of=!uuid */
    MICROVERSION_NAMED_GROUPS = 33,         /* suffixes that are no numbers */
    MICROVERSION_MAPPINGS = 34,             /* which group is served by whom */
    MICROVERSION_ROOT_REQUIRED = 35,        /* traits of the tree's root */
    MICROVERSION_SAME_SUBTREE = 36,         /* groups below one provider */
    MICROVERSION_MOVED_PROVIDERS = 37,      /* a parent may change, or go */
    MICROVERSION_CONSUMER_TYPES = 38,       /* in allocations and usages */
    MICROVERSION_ANY_TRAITS = 39,           /* required=in:A,B; required repeated */

    MICROVERSION_MAX = MICROVERSION_ANY_TRAITS,
};

#endif
