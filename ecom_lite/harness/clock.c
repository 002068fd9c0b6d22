/* The wall clock of every process that this is loaded into, so many nanoseconds off as the file says that all of them share.
   What waits until a moment of that clock is told it in the true one. Monotonic clocks, and times of files, are as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define A_DATE 1000000000LL /* seconds: what is more is a date, and no time since the machine began */

static const int64_t none = 0;
static const volatile int64_t *off = &none;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("ECOM_LITE_HARNESS_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) off = page;
    close(file);
}

static void move(struct timespec *at, int64_t by) {
    int64_t rest = at->tv_nsec + by % SECOND;
    at->tv_sec += by / SECOND;
    if (rest < 0) { rest += SECOND; at->tv_sec--; }
    if (rest >= SECOND) { rest -= SECOND; at->tv_sec++; }
    at->tv_nsec = rest;
}

#define TRUE_ONE(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int clock_gettime(clockid_t clock, struct timespec *at) {
    TRUE_ONE(clock_gettime);
    int failed = real(clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) move(at, *off);
    return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict until) {
    TRUE_ONE(sem_timedwait);
    struct timespec at = *until;
    move(&at, -*off);
    return real(sem, &at);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
    TRUE_ONE(pthread_mutex_timedlock);
    struct timespec at = *until;
    move(&at, -*off);
    return real(mutex, &at);
}

/* A condition does not say by which clock it waits; the moment does. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
    TRUE_ONE(pthread_cond_timedwait);
    struct timespec at = *until;
    if (at.tv_sec > A_DATE) move(&at, -*off);
    return real(cond, mutex, &at);
}
