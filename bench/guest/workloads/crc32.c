#include "workload.h"

#define BUFFER_BYTES 65536
#define ROUNDS 1000

NOINLINE static u32 crc32(const u32 *table, u32 crc, const u8 *bytes, u32 count) {
  u32 c = ~crc;
  for (u32 i = 0; i < count; i++) c = table[(c ^ bytes[i]) & 255] ^ (c >> 8);
  return ~c;
}

u64 run_crc32(void) {
  static u32 table[256];
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  for (u32 i = 0; i < BUFFER_BYTES; i++) arena[i] = (u8)(i * 7 + (i >> 8));
  u32 crc = 0;
  for (int round = 0; round < ROUNDS; round++) crc = crc32(table, crc, arena, BUFFER_BYTES);
  return crc;
}
