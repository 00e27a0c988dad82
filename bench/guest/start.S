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
    movl 0x228(%rsi), %edi      /* cmd_line_ptr: one digit chooses the program */
    movzbl (%rdi), %edi
    subl $'0', %edi
    call guest_main
    /* The result in hexadecimal on COM1, then isa-debug-exit. */
    movq %rax, %rbx
    movl $16, %ecx
1:  rolq $4, %rbx
    movl %ebx, %eax
    andl $15, %eax
    addl $'0', %eax
    cmpl $'9', %eax
    jbe 2f
    addl $39, %eax
2:  movw $0x3f8, %dx
    outb %al, %dx
    decl %ecx
    jnz 1b
    movb $10, %al
    outb %al, %dx
    movw $0x501, %dx
    movl $0, %eax
    outl %eax, %dx
3:  hlt
    jmp 3b

    .bss
    .balign 16
    .skip 0x4000
stack_top:
    .section .note.GNU-stack, "", @progbits
