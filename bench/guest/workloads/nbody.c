#include "workload.h"

/* Five bodies under gravity, in doubles: adds, multiplications, divisions and square roots. */

#define BODIES 5
#define STEPS 1000000

struct body {
  double x, y, z, vx, vy, vz, mass;
};
static struct body bodies[BODIES];

NOINLINE static void advance(double dt) {
  for (int i = 0; i < BODIES; i++) {
    struct body *a = &bodies[i];
    for (int j = i + 1; j < BODIES; j++) {
      struct body *b = &bodies[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      double distance2 = dx * dx + dy * dy + dz * dz;
      double magnitude = dt / (distance2 * __builtin_sqrt(distance2));
      a->vx -= dx * b->mass * magnitude;
      a->vy -= dy * b->mass * magnitude;
      a->vz -= dz * b->mass * magnitude;
      b->vx += dx * a->mass * magnitude;
      b->vy += dy * a->mass * magnitude;
      b->vz += dz * a->mass * magnitude;
    }
  }
  for (int i = 0; i < BODIES; i++) {
    struct body *a = &bodies[i];
    a->x += dt * a->vx;
    a->y += dt * a->vy;
    a->z += dt * a->vz;
  }
}

u64 run_nbody(void) {
  for (int i = 0; i < BODIES; i++) {
    struct body start = {i * 5.0, (i * 7 % 5) * 3.0, (i * 3 % 7) - 3.0, 0.1 * i, 0.3 - 0.1 * i, 0.05 * i, i == 0 ? 40 : 0.01 * i};
    bodies[i] = start;
  }
  for (int step = 0; step < STEPS; step++) advance(0.001);
  u64 hash = FOLD_START;
  for (int i = 0; i < BODIES; i++) hash = fold(hash, (u64)(long long)(bodies[i].x * (1 << 20)));
  return hash;
}
