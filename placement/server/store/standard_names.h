/*
 * standard_names: the resource classes of os-resource-classes 1.1 and the traits of
 * os-traits up to 3.6, as data. Every Placement has those of its time. A class's id is
 * its place in the list, which therefore only ever grows at its end.
 */
#ifndef PLACEMENT_SERVER_STORE_STANDARD_NAMES_H
#define PLACEMENT_SERVER_STORE_STANDARD_NAMES_H

extern const char *const standard_classes[]; /* NULL at the end */
extern const char *const standard_traits[];  /* NULL at the end */

#endif
