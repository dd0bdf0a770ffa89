#include "placement/server/store/log_check.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

#define MAGIC 0x377f0682 /* the last bit: words of checksums are big-endian */
#define HEADER 32
#define FRAME 24 /* the head of a frame; a page follows */
#define SALT 8
#define OUR_PAGE 4096
#define MAX_PAGE 65536

struct walk {
    int fd;
    size_t page;
    int64_t frames; /* that the file has room for */
    bool big_endian;
    uint32_t sums[2];         /* as the frame before has them */
    unsigned char salt[SALT]; /* of this generation of the log */
    unsigned char *frame;     /* the one that was read last */
    bool is_broken;
    int64_t broken; /* the first frame that is wrong, from 1; 0: the header */
    bool has_end;   /* of a transaction, at that frame or after it */
    int64_t first;  /* since which all are in order, up to the last one; from 0 */
    bool follows;   /* a transaction, among these */
    bool is_ended;  /* the last one is the end of a transaction */
};

static uint32_t word(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

static void add_to_sums(struct walk *walk, const unsigned char *data, size_t length)
{
    for (size_t i = 0; i < length; i += 8) {
        uint32_t first = word(data + i), second = word(data + i + 4);
        if (!walk->big_endian) {
            first = __builtin_bswap32(first);
            second = __builtin_bswap32(second);
        }
        walk->sums[0] += first + walk->sums[1];
        walk->sums[1] += second + walk->sums[0];
    }
}

static bool sums_are(const struct walk *walk, const unsigned char *at)
{
    return walk->sums[0] == word(at) && walk->sums[1] == word(at + 4);
}

static bool read_header(struct walk *walk)
{
    unsigned char header[HEADER];
    if (pread(walk->fd, header, HEADER, 0) != HEADER ||
        (word(header) | 1) != (MAGIC | 1))
        return false;
    walk->big_endian = word(header) & 1;
    add_to_sums(walk, header, FRAME);
    uint32_t page = word(header + 8);
    if (!sums_are(walk, header + FRAME) || page < 512 || page > MAX_PAGE ||
        page % 8 != 0)
        return false;
    walk->page = page;
    memcpy(walk->salt, header + 16, SALT);
    return true;
}

static bool read_frame(struct walk *walk, int64_t number)
{
    size_t size = FRAME + walk->page;
    return pread(walk->fd, walk->frame, size, HEADER + number * (int64_t)size) ==
           (ssize_t)size;
}

/* Not left from before the log was begun anew. */
static bool is_of_now(const struct walk *walk)
{
    return memcmp(walk->frame + 8, walk->salt, SALT) == 0;
}

/* By itself and as the next one after the frame before. */
static bool is_in_order(struct walk *walk)
{
    add_to_sums(walk, walk->frame, 8);
    add_to_sums(walk, walk->frame + FRAME, walk->page);
    bool in_order = sums_are(walk, walk->frame + 16) && is_of_now(walk);
    walk->sums[0] = word(walk->frame + 16);
    walk->sums[1] = word(walk->frame + 20);
    return in_order;
}

static void look_at_frame(struct walk *walk, int64_t i)
{
    bool in_order = is_in_order(walk);
    if (!walk->is_broken && !in_order) {
        walk->is_broken = true;
        walk->broken = i + 1;
    }
    if (!walk->is_broken)
        return;
    if (!in_order) {
        walk->first = i + 1;
        walk->follows = false;
    }
    walk->is_ended = is_of_now(walk) && word(walk->frame + 4) != 0;
    walk->follows |= in_order && walk->has_end;
    walk->has_end |= walk->is_ended;
}

static void look_at_frames(struct walk *walk)
{
    for (int64_t i = 0; i < walk->frames; i++) {
        if (!read_frame(walk, i))
            break;
        if (i == 0 && walk->is_broken) /* the header does not tell */
            memcpy(walk->salt, walk->frame + 8, SALT);
        /* What stands after the end was written before the log was begun anew. */
        if (walk->follows && walk->is_ended && !is_of_now(walk)) {
            walk->frames = i;
            break;
        }
        look_at_frame(walk, i);
    }
}

static bool database_has_page(struct walk *walk, int database, int64_t number)
{
    _cleanup_free_ unsigned char *page = xcalloc(1, walk->page);
    return pread(database, page, walk->page, (number - 1) * (int64_t)walk->page) ==
               (ssize_t)walk->page &&
           memcmp(page, walk->frame + FRAME, walk->page) == 0;
}

/* Whether a page behind the damage is not in the database. All are there when the log was
 * folded: then it is of no use any more, and a power cut may leave a part of it. */
static bool is_lost(struct walk *walk, int database, int64_t pages)
{
    _cleanup_free_ int64_t *last = xcalloc((size_t)pages + 1, sizeof *last);
    for (int64_t i = walk->first; i < walk->frames && read_frame(walk, i); i++) {
        uint32_t page = word(walk->frame);
        if (page == 0 || page > pages)
            return true;
        last[page] = i + 1;
    }
    for (int64_t page = 1; page <= pages; page++)
        if (last[page] && read_frame(walk, last[page] - 1) &&
            !database_has_page(walk, database, page))
            return true;
    return false;
}

/* True: it is damaged. */
static bool look(struct walk *walk, int log, int database)
{
    struct stat status, database_status;
    if (fstat(log, &status) != 0 || fstat(database, &database_status) != 0)
        return false;
    *walk = (struct walk){.fd = log, .page = OUR_PAGE};
    walk->is_broken = !read_header(walk);
    walk->frames = (status.st_size - HEADER) / (off_t)(FRAME + walk->page);
    walk->frame = xcalloc(1, FRAME + walk->page);
    look_at_frames(walk);
    bool damaged = walk->follows && walk->is_ended &&
                   is_lost(walk, database, database_status.st_size / (off_t)walk->page);
    free(walk->frame);
    return damaged;
}

int log_check(const char *path, struct error *err)
{
    _cleanup_free_ char *name = xasprintf("%s-wal", path);
    _cleanup_close_ int log = open(name, O_RDONLY | O_CLOEXEC);
    if (log < 0)
        return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s", name);
    _cleanup_close_ int database = open(path, O_RDONLY | O_CLOEXEC);
    if (database < 0)
        return error_set_errno(err, errno, "open");
    struct walk walk, again;
    /* What somebody was writing at the first look is whole at the second. */
    if (!look(&walk, log, database) || !look(&again, log, database) ||
        again.broken != walk.broken)
        return 0;
    return error_set(
        err, ERROR_INVALID,
        "%s is damaged at frame %lld of %lld: what was written after that "
        "would be lost without a word. Put a backup in the place of %s and "
        "remove the log; or, to go on with what stands before the damage, "
        "run: sqlite3 %s 'PRAGMA wal_checkpoint(TRUNCATE)'",
        name, (long long)walk.broken, (long long)walk.frames, path, path);
}
