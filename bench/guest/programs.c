/* The interpreter's bench: three programs, and nothing at all (3) to subtract firmware and start-up. Sizes give 0.3–0.6 G instructions each. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

static u32 crc_table[256];
static u8 buffer[65536];

static void fill(void) {
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    crc_table[i] = c;
  }
  for (u32 i = 0; i < sizeof buffer; i++) buffer[i] = (u8)(i * 7 + (i >> 8));
}

__attribute__((noinline)) static u32 crc32(u32 crc, const u8 *p, u64 n) {
  u32 c = ~crc;
  for (u64 i = 0; i < n; i++) c = crc_table[(c ^ p[i]) & 255] ^ (c >> 8);
  return ~c;
}

static u64 run_crc32(void) {
  u32 crc = 0;
  for (int round = 0; round < 1000; round++) crc = crc32(crc, buffer, sizeof buffer);
  return crc;
}

/* FIPS 180-4: the round constants are the cube roots' fractions; computing them needs floating point, so they are listed. */
static const u32 K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static u32 rotate(u32 x, int n) { return x >> n | x << (32 - n); }

__attribute__((noinline)) static void sha256_block(u32 *h, const u8 *p) {
  u32 w[64];
  for (int i = 0; i < 16; i++) w[i] = (u32)p[4 * i] << 24 | (u32)p[4 * i + 1] << 16 | (u32)p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    u32 s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    u32 s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  u32 v[8];
  for (int i = 0; i < 8; i++) v[i] = h[i];
  for (int i = 0; i < 64; i++) {
    u32 t1 = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + K[i] + w[i];
    u32 t2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    for (int k = 7; k > 0; k--) v[k] = v[k - 1];
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) h[i] += v[i];
}

static u64 run_sha256(void) {
  u32 h[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (int round = 0; round < 100; round++)
    for (u32 at = 0; at < sizeof buffer; at += 64) sha256_block(h, buffer + at);
  return (u64)h[0] << 32 | h[7];
}

struct node {
  struct node *left, *right;
  u64 key;
};
static struct node pool[4096];

/* Insert and find in binary trees: pointers, unpredictable branches, calls. */
__attribute__((noinline)) static u64 tree_round(u64 *seed) {
  struct node *root = 0;
  u64 steps = 0;
  for (int i = 0; i < 4000; i++) {
    u64 x = *seed;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *seed = x;
    struct node **at = &root;
    while (*at) at = x < (*at)->key ? &(*at)->left : &(*at)->right;
    pool[i].left = pool[i].right = 0;
    pool[i].key = x;
    *at = &pool[i];
  }
  for (int i = 0; i < 4000; i++) {
    struct node *at = root;
    for (; at->key != pool[i].key; steps++) at = pool[i].key < at->key ? at->left : at->right;
  }
  return steps;
}

static u64 run_mix(void) {
  u64 seed = 88172645463325252ul, sum = 0;
  for (int round = 0; round < 300; round++) sum += tree_round(&seed);
  return sum;
}

u64 guest_main(u32 program) {
  fill();
  switch (program) {
  case 0: return run_crc32();
  case 1: return run_sha256();
  case 2: return run_mix();
  default: return 0;
  }
}
