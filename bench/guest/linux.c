/*
 * The first process of the bench's Linux guest. It runs the workloads that the kernel's command line names (bench=sha256,chase,…; the
 * kernel hands that on as an environment variable) and says on the console when each begins and ends: the host takes its CPU time at
 * those lines. Then it powers off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workloads/workload.h"

u8 *arena;

static void fail(const char *what) {
  printf("Q35 bench failed: %s\n", what);
  reboot(RB_POWER_OFF);
}

#define GETPID_CALLS 1000000

static u64 run_getpid(void) {
  u64 sum = 0;
  for (int i = 0; i < GETPID_CALLS; i++) sum += syscall(SYS_getpid);
  return sum;
}

/* Runs a program to its end; gives its exit status. */
static int run_program(char *const *argv) {
  pid_t child = fork();
  if (child == 0) {
    execv(argv[0], argv);
    _exit(127);
  }
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child) fail("fork");
  return status;
}

#define PROGRAMS 300

static u64 run_forkexec(void) {
  char *argv[] = {"/bin/true", 0};
  u64 done = 0;
  for (int i = 0; i < PROGRAMS; i++) done += run_program(argv) == 0;
  return done;
}

#define GZIP_BYTES (16u << 20)

/* Text-like bytes: words of a small vocabulary in random order. */
static void write_text(const char *path) {
  u64 seed = 0x853c49e6748fea9bull;
  char words[256][8];
  for (int i = 0; i < 256; i++)
    for (int k = 0; k < 8; k++) words[i][k] = "etaoinshrdlucmfwypvbgkjqxz     \n"[next_random(&seed) >> 40 & 31];
  u32 at = 0;
  while (at < GZIP_BYTES) {
    u64 random = next_random(&seed);
    u32 length = 3 + (random >> 20 & 3);
    memcpy(arena + at, words[random >> 32 & (random >> 48 & 1 ? 255 : 31)], length);
    at += length;
    arena[at++] = random >> 60 ? ' ' : (u8)random;
  }
  int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
  for (u32 done = 0; done < GZIP_BYTES;) {
    ssize_t count = write(file, arena + done, GZIP_BYTES - done);
    if (count <= 0) fail("write");
    done += count;
  }
  close(file);
}

/* The text is written before the clock starts. */
static void prepare_gzip(void) { write_text("/text"); }

static u64 run_gzip(void) {
  char *argv[] = {"/bin/gzip", "-f", "-n", "/text", 0};
  if (run_program(argv) != 0) fail("gzip");
  u64 hash = FOLD_START;
  int file = open("/text.gz", O_RDONLY);
  ssize_t count;
  while ((count = read(file, arena, ARENA_BYTES)) > 0)
    for (ssize_t i = 0; i < count; i += 64) hash = fold(hash, arena[i]);
  close(file);
  return hash;
}

static const struct {
  const char *name;
  u64 (*run)(void);
  void (*prepare)(void);
} WORKLOADS[] = {
    {"mix", run_mix},       {"sha256", run_sha256}, {"memory", run_memory}, {"chase", run_chase},
    {"matmul", run_matmul}, {"nbody", run_nbody},   {"getpid", run_getpid}, {"forkexec", run_forkexec},
    {"quicksort", run_quicksort}, {"gzip", run_gzip, prepare_gzip},
};
#define COUNT (sizeof WORKLOADS / sizeof WORKLOADS[0])

static void run_named(const char *name) {
  for (size_t i = 0; i < COUNT; i++) {
    if (strcmp(WORKLOADS[i].name, name) != 0) continue;
    if (WORKLOADS[i].prepare) WORKLOADS[i].prepare();
    printf("Q35 bench begin %s\n", name);
    u64 result = WORKLOADS[i].run();
    printf("Q35 bench end %s %016llx\n", name, result);
    return;
  }
  fail(name);
}

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 0);
  printf("Q35 bench init\n");
  char *names = getenv("bench");
  if (names && *names) {
    arena = mmap(0, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (arena == MAP_FAILED) fail("mmap");
    for (char *name = strtok(names, ","); name; name = strtok(0, ",")) run_named(name);
  }
  printf("Q35 bench done\n");
  reboot(RB_POWER_OFF);
}
