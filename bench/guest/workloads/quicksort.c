#include "workload.h"

#define COUNT 2000000

NOINLINE static void quicksort(u32 *first, u32 *last) {
  while (first < last) {
    u32 pivot = first[(last - first) >> 1];
    u32 *low = first, *high = last;
    while (low <= high) {
      while (*low < pivot) low++;
      while (*high > pivot) high--;
      if (low > high) break;
      u32 swapped = *low;
      *low++ = *high;
      *high-- = swapped;
    }
    if (high - first < last - low) {
      quicksort(first, high);
      first = low;
    } else {
      quicksort(low, last);
      last = high;
    }
  }
}

u64 run_quicksort(void) {
  u32 *numbers = (u32 *)arena;
  u64 seed = 0x9e3779b97f4a7c15ull, hash = FOLD_START;
  for (u32 i = 0; i < COUNT; i++) numbers[i] = (u32)(next_random(&seed) >> 16);
  quicksort(numbers, numbers + COUNT - 1);
  for (u32 i = 0; i < COUNT; i += 1000) hash = fold(hash, numbers[i]);
  return hash;
}
