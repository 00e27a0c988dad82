/** The debugger's commands; names are absolute paths, or looked up where execution stands. */
export const HELP = `run PATH [(VALUE, …)]      evaluate, stopping at breakpoints
debug PATH [(VALUE, …)]    the same, stopping at the first statement
break PATH[:OFFSET]        stop at a method, or at the statement at an offset of its table (hexadecimal, see list)
break region PATH          stop behind each access to an operation region
break region SPACE[:ADDR]  … to an address space, such as SystemIO:b2
break error                stop where something fails
break · delete [NUMBER]    show breakpoints · remove one or all
step · next · finish       one statement, into calls · over calls · to the end of the method
continue                   run on
print EXPRESSION           value of an ASL expression where execution stands: Local0 + 1, \\_SB.PCI0._STA (), DerefOf (LIST [2])
set TARGET = EXPRESSION    store
locals · args              of the method that stands still
backtrace                  what runs inside what
list [all|PATH]            ASL around the point, of the whole method, of another
tree [PATH [DEPTH]]        the namespace
trace [off]                calls, names and region accesses, a line each
initialize                 _REG, _INI and _STA, as an operating system runs them
quit`;
