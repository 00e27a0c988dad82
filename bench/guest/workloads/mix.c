#include "workload.h"

/* Integer mix: binary trees (pointers, unpredictable branches), a bytecode machine (switch, indirect jumps) and callbacks. */

#define TREE_NODES 4000
#define TREE_ROUNDS 500

struct node {
  struct node *left, *right;
  u64 key;
};
static struct node pool[TREE_NODES];

NOINLINE static u64 tree_round(u64 *seed) {
  struct node *root = 0;
  u64 steps = 0;
  for (int i = 0; i < TREE_NODES; i++) {
    u64 key = next_random(seed);
    struct node **at = &root;
    while (*at) at = key < (*at)->key ? &(*at)->left : &(*at)->right;
    pool[i].left = pool[i].right = 0;
    pool[i].key = key;
    *at = &pool[i];
  }
  for (int i = 0; i < TREE_NODES; i++) {
    struct node *at = root;
    for (; at->key != pool[i].key; steps++) at = pool[i].key < at->key ? at->left : at->right;
  }
  return steps;
}

enum { OP_ADD, OP_SUB, OP_XOR, OP_ROTATE, OP_MULTIPLY, OP_SWAP, OP_SKIP_IF_ODD, OP_LOAD, OP_STORE, OPERATIONS };
#define CODE_LENGTH 256
#define MACHINE_ROUNDS 100000

NOINLINE static u64 run_machine(const u8 *code, u32 *memory) {
  u32 a = 1, b = 2;
  for (int i = 0; i < CODE_LENGTH; i++) {
    switch (code[i]) {
    case OP_ADD: a += b; break;
    case OP_SUB: a -= b + i; break;
    case OP_XOR: b ^= a; break;
    case OP_ROTATE: a = a << 7 | a >> 25; break;
    case OP_MULTIPLY: b *= 2654435761u; break;
    case OP_SWAP: { u32 t = a; a = b; b = t; break; }
    case OP_SKIP_IF_ODD: i += a & 1; break;
    case OP_LOAD: a += memory[b & 255]; break;
    default: memory[a & 255] = b; break;
    }
  }
  return (u64)a << 32 | b;
}

typedef u32 (*step)(u32, u32);
NOINLINE static u32 add(u32 x, u32 y) { return x + y; }
NOINLINE static u32 mask(u32 x, u32 y) { return (x & ~y) | (y >> 3); }
NOINLINE static u32 spread(u32 x, u32 y) { return x * 31 + y; }
static step volatile steps[4] = {add, mask, spread, add};
#define CALLS 8000000

NOINLINE static u32 call_all(u32 count) {
  u32 x = 1;
  for (u32 i = 0; i < count; i++) x = steps[x & 3](x, i);
  return x;
}

u64 run_mix(void) {
  u64 seed = 88172645463325252ull, hash = FOLD_START;
  for (int round = 0; round < TREE_ROUNDS; round++) hash = fold(hash, tree_round(&seed));
  static u8 code[CODE_LENGTH];
  static u32 memory[256];
  for (int i = 0; i < CODE_LENGTH; i++) code[i] = (u8)(next_random(&seed) % OPERATIONS);
  for (int round = 0; round < MACHINE_ROUNDS; round++) hash = fold(hash, run_machine(code, memory));
  return fold(hash, call_all(CALLS));
}
