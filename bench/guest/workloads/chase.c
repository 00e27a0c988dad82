#include "workload.h"

/* Pointer chase through 32 MiB: one cycle over all cells in random order, followed a number of steps. */

#define CELLS ((32u << 20) / sizeof(void *))
#define STEPS 5000000u

u64 run_chase(void) {
  void **cells = (void **)arena;
  u64 seed = 0x2545f4914f6cdd1dull;
  for (u32 i = 0; i < CELLS; i++) cells[i] = &cells[i];
  /* Sattolo's shuffle: a permutation that is one cycle. */
  for (u32 i = CELLS - 1; i > 0; i--) {
    u32 j = (u32)(next_random(&seed) >> 32) & (CELLS - 1);
    while (j >= i) j >>= 1;
    void *swapped = cells[i];
    cells[i] = cells[j];
    cells[j] = swapped;
  }
  void **at = cells;
  for (u32 step = 0; step < STEPS; step++) at = *at;
  return (u64)(at - cells);
}
