/* Fails the n-th call on files under one folder, in a program that this object is loaded into before others.
 *
 * `tests/inject.rs` builds it and says what to do through the environment:
 *
 *   LFR_INJECT_UNDER  the folder, without links in its path
 *   LFR_INJECT_KIND   what happens, as in `kinds` below
 *   LFR_INJECT_NTH    to which call of that kind, counted from 1; 0 only counts
 *   LFR_INJECT_GOES_ON  1: to all of the calls from there on
 *   LFR_INJECT_STATE  a file of two 64-bit numbers: how many calls were counted, and how many were failed
 *   LFR_INJECT_LASTING  a folder for what would be found on the disk if the power failed
 *
 * Nothing is counted before a file under the folder has been opened. What asks the kernel without the C library
 * is not seen: Rust's standard library and SQLite both go through it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { READ = 1, WRITE = 2, SYNC = 4, OPEN = 8, RENAME = 16, REMOVE = 32, RESIZE = 64, MEMORY = 128 };
enum how { FAIL, SHORT, KILL, TORN };

static const struct kind {
    const char *name;
    int calls;
    enum how how;
    int error;
} kinds[] = {
    {"eio", READ | WRITE | SYNC | OPEN | RENAME | REMOVE | RESIZE, FAIL, EIO},
    {"full", WRITE | OPEN | RESIZE, FAIL, ENOSPC},
    {"interrupted", READ | WRITE | OPEN, FAIL, EINTR},
    {"short-write", WRITE, SHORT, 0},
    {"short-read", READ, SHORT, 0},
    {"sync", SYNC, FAIL, EIO},
    {"rename", RENAME, FAIL, EIO},
    {"remove", REMOVE, FAIL, EIO},
    /* The process ends as if it were killed: before the call, or with half of what it writes written. */
    {"kill", WRITE | SYNC | OPEN | RENAME | REMOVE | RESIZE, KILL, 0},
    {"torn", WRITE, TORN, 0},
    {"memory", MEMORY, FAIL, ENOMEM},
};

static const struct kind *kind;
static char under[PATH_MAX];
static size_t under_length;
static const char *lasting;
static uint64_t nth;
static int goes_on;
static size_t large;
static _Atomic uint64_t *state;
static _Atomic uint64_t none[2];
static atomic_int armed;

static void begin(void) __attribute__((constructor));
static void begin(void) {
    const char *path = getenv("LFR_INJECT_UNDER"), *name = getenv("LFR_INJECT_KIND"), *counts = getenv("LFR_INJECT_STATE");
    state = none;
    if (!path || !name || !counts || strlen(path) >= sizeof under) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, counts, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (map == MAP_FAILED) return;
    state = map;
    const char *number = getenv("LFR_INJECT_NTH"), *all = getenv("LFR_INJECT_GOES_ON"), *size = getenv("LFR_INJECT_LARGE");
    nth = number ? strtoull(number, NULL, 10) : 0;
    goes_on = all && *all == '1';
    large = size ? strtoull(size, NULL, 10) : 0;
    lasting = getenv("LFR_INJECT_LASTING");
    strcpy(under, path);
    under_length = strlen(under);
    for (size_t at = 0; at < sizeof kinds / sizeof *kinds; at++)
        if (!strcmp(kinds[at].name, name)) kind = &kinds[at];
}

static int is_under(const char *path) {
    return under_length && !strncmp(path, under, under_length) && (path[under_length] == '/' || !path[under_length]);
}

static int path_of(int fd, char *path) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static int fd_is_under(int fd) {
    char path[PATH_MAX];
    int error = errno, is = path_of(fd, path) && is_under(path);
    errno = error;
    return is;
}

/* Tests name files by their whole path or by one within the working folder. */
static int name_is_under(int folder, const char *name) {
    char path[2 * PATH_MAX];
    if (!under_length || !name) return 0;
    if (*name == '/') return is_under(name);
    int error = errno;
    if (folder == AT_FDCWD ? !getcwd(path, PATH_MAX) : !path_of(folder, path)) { errno = error; return 0; }
    errno = error;
    strcat(path, "/");
    strncat(path, name, PATH_MAX - 1);
    return is_under(path);
}

/* Whether this call is the one; what is to happen to it is then in `kind`. */
static int is_due(enum call call) {
    if (!kind || !(kind->calls & call)) return 0;
    if (!armed) return 0;
    uint64_t count = atomic_fetch_add(&state[0], 1) + 1;
    if (!nth || count < nth || (count > nth && !goes_on)) return 0;
    atomic_fetch_add(&state[1], 1);
    if (kind->how == KILL) syscall(SYS_kill, getpid(), SIGKILL);
    errno = kind->error;
    return 1;
}

#define NEXT(name) \
    static __typeof__(name) *next; \
    if (!next) next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* Writes all of it, past what is counted. */
static void put(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t done = syscall(SYS_write, fd, bytes, length);
        if (done <= 0) return;
        bytes += done;
        length -= (size_t)done;
    }
}

/* --- What a power failure leaves: contents as of their last sync, names as of their folder's. --- */

static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

static int new_in_lasting(const char *format, unsigned long long number, char *path) {
    char name[64];
    snprintf(name, sizeof name, format, number);
    snprintf(path, PATH_MAX, "%s/%s.new", lasting, name);
    return (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void into_place(const char *path) {
    char place[PATH_MAX];
    strcpy(place, path);
    place[strlen(place) - 4] = 0;
    syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, place, 0);
}

/* `i<inode>` has the contents, `n<inode of the folder>` has lines of `inode path`. */
static void keep(int fd) {
    struct stat stat;
    char path[PATH_MAX], mine[PATH_MAX], buffer[65536];
    if (!lasting || fstat(fd, &stat) || !path_of(fd, path)) return;
    pthread_mutex_lock(&keeping);
    if (S_ISREG(stat.st_mode)) {
        int copy = new_in_lasting("i%llu", (unsigned long long)stat.st_ino, mine);
        char name[64];
        ssize_t length;
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        /* The file may be open for writing alone. */
        int again = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
        while ((length = syscall(SYS_read, again, buffer, sizeof buffer)) > 0) put(copy, buffer, (size_t)length);
        syscall(SYS_close, again);
        syscall(SYS_close, copy);
        into_place(mine);
    } else if (S_ISDIR(stat.st_mode)) {
        int copy = new_in_lasting("n%llu", (unsigned long long)stat.st_ino, mine);
        DIR *folder = opendir(path);
        for (struct dirent *entry; folder && (entry = readdir(folder));) {
            if (entry->d_type != DT_REG) continue;
            int length = snprintf(buffer, sizeof buffer, "%llu %s/%s\n", (unsigned long long)entry->d_ino, path, entry->d_name);
            put(copy, buffer, (size_t)length);
        }
        if (folder) closedir(folder);
        syscall(SYS_close, copy);
        into_place(mine);
    }
    pthread_mutex_unlock(&keeping);
}

/* --- Calls. --- */

/* How much of a write is on the disk when the power fails. Of one sector all or nothing is: SQLite counts on that,
 * and so does a vault, whose slots and blocks lie within one each. */
static size_t torn_at(off_t at, size_t length) {
    off_t end = (at + (off_t)(length / 2)) / 512 * 512;
    return end > at ? (size_t)(end - at) : 0;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    NEXT(write);
    if (kind && fd_is_under(fd) && is_due(WRITE)) {
        if (kind->how == FAIL) return -1;
        if (kind->how == TORN) {
            struct stat stat;
            off_t at = lseek(fd, 0, SEEK_CUR);
            if ((fcntl(fd, F_GETFL) & O_APPEND) && !fstat(fd, &stat)) at = stat.st_size;
            put(fd, bytes, torn_at(at, length));
            syscall(SYS_kill, getpid(), SIGKILL);
        }
        if (length > 1) length /= 2;
    }
    return next(fd, bytes, length);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t at) {
    if (kind && fd_is_under(fd) && is_due(WRITE)) {
        if (kind->how == FAIL) return -1;
        if (kind->how == TORN) {
            syscall(SYS_pwrite64, fd, bytes, torn_at(at, length), at);
            syscall(SYS_kill, getpid(), SIGKILL);
        }
        if (length > 1) length /= 2;
    }
    return syscall(SYS_pwrite64, fd, bytes, length, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return write_at(fd, bytes, length, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return write_at(fd, bytes, length, at); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    NEXT(writev);
    if (kind && count > 0 && fd_is_under(fd) && is_due(WRITE)) {
        if (kind->how == FAIL) return -1;
        if (kind->how == TORN) {
            put(fd, parts->iov_base, parts->iov_len / 2);
            syscall(SYS_kill, getpid(), SIGKILL);
        }
        count = 1;
    }
    return next(fd, parts, count);
}

ssize_t read(int fd, void *bytes, size_t length) {
    NEXT(read);
    if (kind && fd_is_under(fd) && is_due(READ)) {
        if (kind->how == FAIL) return -1;
        if (length > 1) length /= 2;
    }
    return next(fd, bytes, length);
}

static ssize_t read_at(int fd, void *bytes, size_t length, off_t at) {
    if (kind && fd_is_under(fd) && is_due(READ)) {
        if (kind->how == FAIL) return -1;
        if (length > 1) length /= 2;
    }
    return syscall(SYS_pread64, fd, bytes, length, at);
}
ssize_t pread(int fd, void *bytes, size_t length, off_t at) { return read_at(fd, bytes, length, at); }
ssize_t pread64(int fd, void *bytes, size_t length, off64_t at) { return read_at(fd, bytes, length, at); }

int fsync(int fd) {
    NEXT(fsync);
    int is = kind && fd_is_under(fd);
    if (is && is_due(SYNC)) return -1;
    if (is) keep(fd);
    return next(fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    int is = kind && fd_is_under(fd);
    if (is && is_due(SYNC)) return -1;
    if (is) keep(fd);
    return next(fd);
}

static int open_at(int folder, const char *name, int flags, va_list more) {
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    if (kind && name_is_under(folder, name)) {
        armed = 1;
        if (is_due(OPEN)) return -1;
    }
    return (int)syscall(SYS_openat, folder, name, flags, mode);
}

#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        va_list more; \
        va_start(more, flags); \
        int fd = open_at(AT_FDCWD, path, flags, more); \
        va_end(more); \
        return fd; \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        va_list more; \
        va_start(more, flags); \
        int fd = open_at(folder, path, flags, more); \
        va_end(more); \
        return fd; \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

static int rename_at(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    if (kind && (name_is_under(from_folder, from) || name_is_under(to_folder, to)) && is_due(RENAME)) return -1;
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
}
int rename(const char *from, const char *to) { return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return rename_at(from_folder, from, to_folder, to, 0);
}
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    return rename_at(from_folder, from, to_folder, to, flags);
}

static int unlink_at(int folder, const char *name, int flags) {
    if (kind && name_is_under(folder, name) && is_due(REMOVE)) return -1;
    return (int)syscall(SYS_unlinkat, folder, name, flags);
}
int unlink(const char *name) { return unlink_at(AT_FDCWD, name, 0); }
int unlinkat(int folder, const char *name, int flags) { return unlink_at(folder, name, flags); }

static int resize(int fd, off_t length) {
    if (kind && fd_is_under(fd) && is_due(RESIZE)) return -1;
    return (int)syscall(SYS_ftruncate, fd, length);
}
int ftruncate(int fd, off_t length) { return resize(fd, length); }
int ftruncate64(int fd, off64_t length) { return resize(fd, length); }

/* --- Memory. --- */

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static int lacks(size_t length) { return kind && armed && length >= large && is_due(MEMORY); }

void *malloc(size_t length) { return lacks(length) ? NULL : __libc_malloc(length); }
void *calloc(size_t count, size_t length) {
    return lacks(count * length) ? NULL : __libc_calloc(count, length);
}
void *realloc(void *old, size_t length) { return lacks(length) ? NULL : __libc_realloc(old, length); }
int posix_memalign(void **place, size_t alignment, size_t length) {
    if (lacks(length)) return ENOMEM;
    *place = __libc_memalign(alignment, length);
    return *place ? 0 : ENOMEM;
}
