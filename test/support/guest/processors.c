/* What only several processors can get wrong, as threads of one process: atomics, TLB shootdown, code that another one changes, one TSC. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_THREADS 256
#define PAGE 4096
#define COUNTS 20000
#define ROUNDS 200

static long threads;

static atomic_long counter;
static long plain;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *count(void *argument) {
  for (int i = 0; i < COUNTS; i++) {
    atomic_fetch_add(&counter, 1);
    pthread_mutex_lock(&lock);
    plain++;
    pthread_mutex_unlock(&lock);
  }
  return argument;
}

static char *page;
/* mov eax, round; ret */
static unsigned char *code;
static atomic_long round_now, ready, wrong;

/* The first thread maps the page anew and changes the code; all others must see the new ones. */
static void *shoot_down(void *argument) {
  long self = (long)argument;
  for (int round = 1; round <= ROUNDS; round++) {
    if (self == 0) {
      while (atomic_load(&ready) != threads - 1) sched_yield();
      atomic_store(&ready, 0);
      mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
      *(volatile int *)page = round;
      memcpy(code + 1, &round, sizeof round);
      atomic_store(&round_now, round);
    } else {
      atomic_fetch_add(&ready, 1);
      while (atomic_load(&round_now) < round) __builtin_ia32_pause();
      if (*(volatile int *)page != round) atomic_fetch_add(&wrong, 1);
      if (((int (*)(void))code)() != round) atomic_fetch_add(&wrong, 1);
    }
  }
  return argument;
}

static atomic_ulong latest;
static atomic_long warps;

/* Who reads the counter after another one has published its reading reads no less. */
static void *read_tsc(void *argument) {
  for (int i = 0; i < COUNTS; i++) {
    unsigned long before = atomic_load(&latest);
    unsigned long now = __builtin_ia32_rdtsc();
    if (now < before) atomic_fetch_add(&warps, 1);
    atomic_store(&latest, now);
  }
  return argument;
}

static void on_all(void *(*body)(void *)) {
  pthread_t thread[MAX_THREADS];
  for (long i = 0; i < threads; i++) pthread_create(&thread[i], NULL, body, (void *)i);
  for (long i = 0; i < threads; i++) pthread_join(thread[i], NULL);
}

int main(int argc, char **argv) {
  threads = argc > 1 ? atol(argv[1]) : 1;
  if (threads < 1 || threads > MAX_THREADS) return 2;
  page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(code, "\xb8\0\0\0\0\xc3", 6);
  on_all(count);
  on_all(shoot_down);
  on_all(read_tsc);
  printf("Q35 lost counts %ld %ld, stale pages or code %ld, TSC warps %ld\n", threads * COUNTS - counter,
         threads * COUNTS - plain, (long)wrong, (long)warps);
  return 0;
}
