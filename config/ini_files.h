/*
 * ini_files: the files that a command line names, read into one struct ini. Stateless.
 */
#ifndef CONFIG_INI_FILES_H
#define CONFIG_INI_FILES_H

#include "config/ini.h"

/* Reads one more file. What cannot be read is added to `problems`, with the file's
 * owner when the permissions are the reason. */
void ini_read_file(struct ini *ini, const char *path, struct config_problems *problems);

/* Reads all `files` in order, then the files of each of `dirs` that end in ".conf", by
 * name. */
void ini_read_all(struct ini *ini, const struct strlist *files,
                  const struct strlist *dirs, struct config_problems *problems);

#endif
