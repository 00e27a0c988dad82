#include "workload.h"

/* memcpy and memset of 512 MiB each, as the C library does them (on the bare machine: as the compiler does). */

#define BLOCK_BYTES (16u << 20)
#define ROUNDS 32

u64 run_memory(void) {
  u8 *source = arena, *target = arena + BLOCK_BYTES;
  for (u32 i = 0; i < BLOCK_BYTES; i++) source[i] = (u8)(i >> 4);
  u64 hash = FOLD_START;
  for (u32 round = 0; round < ROUNDS; round++) {
    __builtin_memset(target, (int)round, BLOCK_BYTES);
    hash = fold(hash, target[round * 4096 + 5]);
    __builtin_memcpy(target + round, source, BLOCK_BYTES - 64);
    hash = fold(hash, target[round * 65536 + 777]);
    __asm__ volatile("" ::: "memory");
  }
  return hash;
}
