/* What the programs of the bench are made of: no library, so that they run under Linux and on the bare machine alike. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define NOINLINE __attribute__((noinline))

/* Room for the workloads: Linux maps it, the bare machine has RAM there. */
#define ARENA_BYTES (40u << 20)
extern u8 *arena;

/* xorshift64: a fixed seed gives the same numbers everywhere. */
static inline u64 next_random(u64 *state) {
  u64 x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

/* FNV-1a over whole words. */
static inline u64 fold(u64 hash, u64 value) { return (hash ^ value) * 0x100000001b3ull; }
#define FOLD_START 0xcbf29ce484222325ull

/* Each gives a checksum, which must be the same on every machine. */
u64 run_mix(void);
u64 run_crc32(void);
u64 run_sha256(void);
u64 run_memory(void);
u64 run_chase(void);
u64 run_matmul(void);
u64 run_nbody(void);
u64 run_quicksort(void);
