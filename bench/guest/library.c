/* What the compiler calls for large blocks on the bare machine. */
#include "workloads/workload.h"

void *memset(void *target, int value, unsigned long count) {
  void *start = target;
  __asm__ volatile("rep stosb" : "+D"(target), "+c"(count) : "a"(value) : "memory");
  return start;
}

void *memcpy(void *target, const void *source, unsigned long count) {
  void *start = target;
  __asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(count) : : "memory");
  return start;
}
