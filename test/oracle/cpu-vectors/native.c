/*
 * Executes single instructions and short sequences on the processor under us and reports what they did: the oracle of fixtures/cpu.
 *
 * Every case is entered through sigreturn, which loads the whole user-visible state (general registers, RFLAGS, CS, FXSAVE image) at
 * once, and left through the signal of the INT3 that follows the instruction, or of the exception that it raises. Linux hands the
 * vector, the error code and CR2 to the handler, so faults are recorded as the processor delivered them.
 *
 * Input on stdin and output on stdout are the records of native.ts, little-endian. x86-64 Linux only.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE_BASE 0x10000000u
#define CODE_SIZE 0x2000u
#define DATA_BASE 0x10004000u
#define DATA_SIZE 0x2000u
/* Of the upper halves in the XSAVE area (CPUID 0Dh.2). */
#define YMM_OFFSET 576
#define GS_BASE (DATA_BASE + 0x800u)

struct input {
  uint32_t size;
  uint8_t mode, has_fx, code_length, windows;
  uint32_t code_address, reserved;
  uint64_t gpr[16];
  uint64_t rflags;
  uint8_t code[64];
};
struct output {
  uint32_t size, vector, error_code, changes;
  uint64_t cr2, rip;
  uint64_t gpr[16];
  uint64_t rflags;
};

/* GPR number -> index into gregs. */
static const int GREG[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                             REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static uint8_t *input_bytes;
static size_t input_size, input_position;
static const struct input *current;
static uint8_t data_before[DATA_SIZE];
static uint8_t clean_fx[512];
static sigjmp_buf done;

static uint16_t ldt_selector(int entry) { return (uint16_t)(entry << 3 | 7); }

static void write_ldt(int entry, uint32_t base, uint32_t limit, int contents, int is_32bit, int pages) {
  struct user_desc d;
  memset(&d, 0, sizeof d);
  d.entry_number = entry;
  d.base_addr = base;
  d.limit = limit;
  d.contents = contents;
  d.seg_32bit = is_32bit;
  d.limit_in_pages = pages;
  d.useable = 1;
  if (syscall(SYS_modify_ldt, 1, &d, sizeof d)) {
    perror("modify_ldt");
    exit(1);
  }
}

static void emit(const void *bytes, size_t size) { fwrite(bytes, 1, size, stdout); }

static void report(ucontext_t *context) {
  const greg_t *g = context->uc_mcontext.gregs;
  struct output out;
  memset(&out, 0, sizeof out);
  out.vector = (uint32_t)g[REG_TRAPNO];
  out.error_code = (uint32_t)g[REG_ERR];
  out.cr2 = (uint64_t)g[REG_CR2];
  out.rip = (uint64_t)g[REG_RIP];
  out.rflags = (uint64_t)g[REG_EFL];
  for (int i = 0; i < 16; i++) out.gpr[i] = (uint64_t)g[GREG[i]];
  const uint8_t *now = (const uint8_t *)(uintptr_t)DATA_BASE;
  static struct { uint32_t address, length; } change[64];
  uint32_t extra = 0;
  for (uint32_t i = 0; i < DATA_SIZE && out.changes < 64;) {
    if (i % 64 == 0 && !memcmp(now + i, data_before + i, 64)) { i += 64; continue; }
    if (now[i] == data_before[i]) { i++; continue; }
    uint32_t end = i + 1, same = 0;
    while (end < DATA_SIZE && same < 4) { same = now[end] == data_before[end] ? same + 1 : 0; end++; }
    end -= same;
    change[out.changes].address = DATA_BASE + i;
    change[out.changes].length = end - i;
    out.changes++;
    extra += 8 + ((end - i + 7) & ~7u);
    i = end;
  }
  out.size = sizeof out + (current->has_fx ? 512 : 0) + (current->has_fx == 2 ? 256 : 0) + extra;
  emit(&out, sizeof out);
  if (current->has_fx) {
    uint8_t fx[512];
    memcpy(fx, context->uc_mcontext.fpregs, 512);
    uint64_t in_use;
    memcpy(&in_use, (uint8_t *)context->uc_mcontext.fpregs + 512, 8);
    if (!(in_use & 1)) { memcpy(fx, clean_fx, 24); memcpy(fx + 32, clean_fx + 32, 128); }
    if (!(in_use & 2)) memset(fx + 160, 0, 256);
    emit(fx, 512);
    if (current->has_fx == 2) {
      uint8_t ymm[256];
      memcpy(ymm, (uint8_t *)context->uc_mcontext.fpregs + YMM_OFFSET, 256);
      if (!(in_use & 4)) memset(ymm, 0, 256);
      emit(ymm, 256);
    }
  }
  for (uint32_t i = 0; i < out.changes; i++) {
    static const uint8_t padding[8];
    emit(&change[i], 8);
    emit((const uint8_t *)(uintptr_t)change[i].address, change[i].length);
    emit(padding, -change[i].length & 7);
  }
  memset((uint8_t *)(uintptr_t)current->code_address, 0xcc, sizeof current->code);
}

static void load_segments(int mode) {
  uint16_t data = mode == 16 ? ldt_selector(2) : 0x2b, gs = ldt_selector(0);
  __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %1, %%gs" ::"r"((uint32_t)data), "r"((uint32_t)gs));
}

/* Loads the next case into the context that sigreturn restores. */
static void start_next(ucontext_t *context) {
  if (input_position >= input_size) siglongjmp(done, 1);
  current = (const struct input *)(input_bytes + input_position);
  input_position += current->size;
  const uint8_t *p = (const uint8_t *)(current + 1);
  greg_t *g = context->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) g[GREG[i]] = (greg_t)current->gpr[i];
  g[REG_RIP] = current->mode == 16 ? current->code_address - CODE_BASE : current->code_address;
  g[REG_EFL] = (greg_t)(current->rflags | 0x202);
  uint64_t selectors = (uint64_t)g[REG_CSGSFS] & 0x0000ffffffff0000ull;
  uint16_t cs = current->mode == 64 ? 0x33 : current->mode == 32 ? 0x23 : ldt_selector(1);
  uint16_t ss = current->mode == 16 ? ldt_selector(2) : 0x2b;
  g[REG_CSGSFS] = (greg_t)(selectors | cs | (uint64_t)ss << 48);
  const uint8_t *fx = clean_fx;
  const uint8_t *ymm = 0;
  if (current->has_fx) { fx = p; p += 512; }
  if (current->has_fx == 2) { ymm = p; p += 256; }
  uint8_t *frame = (uint8_t *)context->uc_mcontext.fpregs;
  memcpy(frame, fx, 416);
  uint64_t in_use;
  memcpy(&in_use, frame + 512, 8);
  in_use |= 3;
  if (ymm) {
    in_use |= 4;
    memcpy(frame + YMM_OFFSET, ymm, 256);
  }
  memcpy(frame + 512, &in_use, 8);

  memset((void *)(uintptr_t)DATA_BASE, 0, DATA_SIZE);
  for (int i = 0; i < current->windows; i++) {
    uint32_t address, length;
    memcpy(&address, p, 4);
    memcpy(&length, p + 4, 4);
    memcpy((void *)(uintptr_t)address, p + 8, length);
    p += 8 + ((length + 7) & ~7u);
  }
  memcpy(data_before, (void *)(uintptr_t)DATA_BASE, DATA_SIZE);
  memcpy((void *)(uintptr_t)current->code_address, current->code, current->code_length);
  load_segments(current->mode);
  /* sigreturn leaves NT and ID as they are in the handler. */
  __asm__ volatile("pushfq; andl $~0x204000, (%%rsp); orl %0, (%%rsp); popfq" ::"r"((uint32_t)current->rflags & 0x204000) : "memory", "cc");
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  /* A guest that set AC would make our own accesses trap. */
  __asm__ volatile("pushfq; andl $0xfffbffff, (%%rsp); popfq" ::: "memory", "cc");
  if (current) report(context);
  start_next(context);
}

static void *map_fixed(uint32_t address, size_t size) {
  void *p = mmap((void *)(uintptr_t)address, size, PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (p == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  return p;
}

int main(void) {
  size_t capacity = 1 << 20;
  input_bytes = malloc(capacity);
  for (size_t got; (got = fread(input_bytes + input_size, 1, capacity - input_size, stdin)) > 0;) {
    input_size += got;
    if (input_size == capacity) input_bytes = realloc(input_bytes, capacity *= 2);
  }
  memset(map_fixed(CODE_BASE, CODE_SIZE), 0xcc, CODE_SIZE);
  map_fixed(DATA_BASE, DATA_SIZE);
  write_ldt(0, GS_BASE, 0xfffff, 0, 1, 1);
  write_ldt(1, CODE_BASE, 0xffff, 2, 0, 0);
  write_ldt(2, CODE_BASE, 0xffff, 0, 0, 0);
  clean_fx[0] = 0x7f;
  clean_fx[1] = 0x03;
  clean_fx[24] = 0x80;
  clean_fx[25] = 0x1f;

  stack_t stack = {.ss_sp = malloc(1 << 18), .ss_size = 1 << 18};
  sigaltstack(&stack, 0);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  static const int signals[] = {SIGSEGV, SIGILL, SIGTRAP, SIGFPE, SIGBUS};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  if (!sigsetjmp(done, 0)) __asm__ volatile("int3");
  uint16_t user_data = 0x2b;
  __asm__ volatile("mov %0, %%ds; mov %0, %%es" ::"r"((uint32_t)user_data));
  fflush(stdout);
  return 0;
}
