#include "workload.h"

#define SIZE 256
#define ROUNDS 10

static double left[SIZE][SIZE], right[SIZE][SIZE], product[SIZE][SIZE];

NOINLINE static void multiply(void) {
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      double sum = 0;
      for (int k = 0; k < SIZE; k++) sum += left[i][k] * right[k][j];
      product[i][j] = sum;
    }
}

u64 run_matmul(void) {
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      left[i][j] = ((i * 3 + j) % 17 - 8) / 7.0;
      right[i][j] = (i + j * 5) % 13 / 9.0;
    }
  for (int round = 0; round < ROUNDS; round++) {
    multiply();
    for (int i = 0; i < SIZE; i++) left[i][i] = product[i][i] / 1024;
  }
  u64 hash = FOLD_START;
  for (int i = 0; i < SIZE; i++) hash = fold(hash, (u64)(long long)(product[i][(i * 7) % SIZE] * 4096));
  return hash;
}
