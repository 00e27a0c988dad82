/* The workloads that need no operating system, on the bare machine: the command line says which, as under Linux. */
#include "workloads/workload.h"

/* Above the image and its zeroed data (link.ld). */
u8 *arena = (u8 *)(32u << 20);

static inline void out8(unsigned short port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

#define COM1 0x3f8

static void print(const char *text) {
  for (; *text; text++) out8(COM1, (u8)*text);
}

static void print_hex(u64 value) {
  for (int shift = 60; shift >= 0; shift -= 4) out8(COM1, (u8) "0123456789abcdef"[value >> shift & 15]);
}

static const struct {
  const char *name;
  u64 (*run)(void);
} WORKLOADS[] = {
    {"crc32", run_crc32}, {"mix", run_mix},       {"sha256", run_sha256}, {"memory", run_memory},
    {"chase", run_chase}, {"matmul", run_matmul}, {"nbody", run_nbody},   {"quicksort", run_quicksort},
};

/* A word of `list`, which commas divide, is `name`. */
static int lists(const char *list, const char *name) {
  for (;;) {
    const char *at = name;
    while (*at && *list == *at) list++, at++;
    if (!*at && (!*list || *list == ',')) return 1;
    while (*list && *list != ',') list++;
    if (!*list++) return 0;
  }
}

void guest_main(const char *command_line) {
  print("Q35 bench init\n");
  for (u32 i = 0; i < sizeof WORKLOADS / sizeof WORKLOADS[0]; i++) {
    if (!lists(command_line, WORKLOADS[i].name)) continue;
    print("Q35 bench begin ");
    print(WORKLOADS[i].name);
    u64 result = (print("\n"), WORKLOADS[i].run());
    print("Q35 bench end ");
    print(WORKLOADS[i].name);
    print(" ");
    print_hex(result);
    print("\n");
  }
  print("Q35 bench done\n");
}
