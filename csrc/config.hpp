// Which arithmetic a translation unit is compiled for.
//
// The core's sources are compiled once per arithmetic path into different inline namespaces, so that every field multiplication
// is inlined and the choice between paths is made once per call of the C ABI, never per multiplication. Nothing but the
// multiplication itself (csrc/field/) and what can work on eight elements at a time (*_ifma.cpp) differs between the paths. The
// compiler gets the same target flags for all of them: the fast paths use inline assembly or functions with a target attribute,
// so that no shared template instantiation of the standard library can carry instructions that an older machine lacks.
#pragma once

#if defined(BBIPC_ARITH_NAMESPACE)
// set by the build: portable or adx
#else
#define BBIPC_ARITH_NAMESPACE portable
#endif

// clang-format off
#define BBIPC_BEGIN namespace bbipc { inline namespace BBIPC_ARITH_NAMESPACE {
#define BBIPC_END } }
// clang-format on
