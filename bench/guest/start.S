/*
 * A kernel that is no kernel: a boot sector with the setup header that the Linux 64-bit boot protocol asks for, then 64-bit code at
 * load address + 0x200. The firmware enters it in long mode with identity paging, RSI = boot_params.
 */
    .code64
    .section .setup, "ax"
    .org 0x1f1
    .byte 1                     /* setup_sects */
    .word 0
    .long image_paragraphs      /* syssize, 16-byte units */
    .word 0, 0, 0
    .word 0xaa55
    .byte 0xeb, 0x6a            /* jump: the header ends at 0x26c */
    .ascii "HdrS"
    .word 0x020f                /* version 2.15 */
    .long 0
    .word 0, 0
    .byte 0
    .byte 0x01                  /* LOADED_HIGH */
    .word 0
    .long 0x100000              /* code32_start */
    .long 0, 0, 0
    .word 0
    .byte 0, 0
    .long 0                     /* cmd_line_ptr */
    .long 0x7fffffff            /* initrd_addr_max */
    .long 0x200000              /* kernel_alignment */
    .byte 0                     /* relocatable */
    .byte 21
    .word 0x0003                /* XLF_KERNEL_64, CAN_BE_LOADED_ABOVE_4G */
    .long 255                   /* cmdline_size */
    .long 0
    .quad 0
    .long 0, 0
    .quad 0
    .quad 0x100000              /* pref_address */
    .long 0x800000              /* init_size */
    .long 0
    .org 0x400

    .section .entry, "ax"
    .org 0x200
    .globl _start
_start:
    leaq stack_top(%rip), %rsp
    movq %cr0, %rax             /* SSE: EM off, MP on */
    andl $~4, %eax
    orl $2, %eax
    movq %rax, %cr0
    movq %cr4, %rax             /* OSFXSR, OSXMMEXCPT */
    orl $0x600, %eax
    movq %rax, %cr4
    movl 0x228(%rsi), %edi      /* cmd_line_ptr */
    call guest_main
    cli                         /* nothing wakes it: our machine stops by itself, the bench ends QEMU */
1:  hlt
    jmp 1b

    .bss
    .balign 16
    .skip 0x4000
stack_top:
    .section .note.GNU-stack, "", @progbits
