// The generators as read-only data of the library: pages of the file, mapped on first touch, shared by all processes, no
// start-up cost. Compiled once (not once per arithmetic path) with BBIPC_GENERATORS_FILE = the output of derive.cpp.

// clang-format off
#if defined(__APPLE__)
__asm__(".section __TEXT,__const\n"
        ".private_extern _bbipc_generators_data\n"
        ".globl _bbipc_generators_data\n"
        ".p2align 6\n"
        "_bbipc_generators_data:\n"
        ".incbin \"" BBIPC_GENERATORS_FILE "\"\n"
        ".text\n");
#else
__asm__(".pushsection .rodata.bbipc_generators,\"a\"\n"
        ".hidden bbipc_generators_data\n"
        ".globl bbipc_generators_data\n"
        ".balign 64\n"
        ".type bbipc_generators_data, %object\n"
        "bbipc_generators_data:\n"
        ".incbin \"" BBIPC_GENERATORS_FILE "\"\n"
        ".size bbipc_generators_data, . - bbipc_generators_data\n"
        ".popsection\n");
#endif
// clang-format on
