#pragma once

// gcc 12's own intrinsics start from undefined registers, and it warns of them wherever they are
// inlined (gcc.gnu.org/PR105593): so for the whole file.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

// clang-tidy, which has no omp.h, reads it without.
#if !defined(_OPENMP) && !defined(__clang__)
#error "without OpenMP at::parallel_for runs in one thread"
#endif

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

// A block of channels in two vector registers, as float32 whatever the tensor holds.
//
// Only <name>_avx512.cpp and <name>_avx2.cpp include it, the former after MPBENCH_SIMD_AVX512 is
// defined. What stands between MPBENCH_TARGET_BEGIN and MPBENCH_TARGET_END is compiled for those
// instructions, in a namespace of their name, and must not be called before instruction_set() has
// said that the processor has them. The headers it needs come before, so that nothing the linker
// may share with other files is compiled for them.

#ifdef MPBENCH_SIMD_AVX512
#define MPBENCH_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"
#define MPBENCH_TARGET_NAMESPACE mpbench::kernels::avx512
#else
#define MPBENCH_TARGET "avx2,fma,f16c"
#define MPBENCH_TARGET_NAMESPACE mpbench::kernels::avx2
#endif
#define MPBENCH_PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#define MPBENCH_TARGET_PUSH(target_text) \
  MPBENCH_PRAGMA(clang attribute push(__attribute__((target(target_text))), apply_to = function))
#define MPBENCH_TARGET_POP _Pragma("clang attribute pop")
#else
#define MPBENCH_TARGET_PUSH(target_text) \
  _Pragma("GCC push_options") MPBENCH_PRAGMA(GCC target(target_text))
#define MPBENCH_TARGET_POP _Pragma("GCC pop_options")
#endif
#define MPBENCH_TARGET_BEGIN \
  MPBENCH_TARGET_PUSH(MPBENCH_TARGET) namespace MPBENCH_TARGET_NAMESPACE {
#define MPBENCH_TARGET_END \
  }                        \
  MPBENCH_TARGET_POP

MPBENCH_TARGET_BEGIN

#ifdef MPBENCH_SIMD_AVX512
using Vec = __m512;
#else
using Vec = __m256;
#endif
/// Float32 values in a vector register.
constexpr int vec_size = sizeof(Vec) / sizeof(float);
/// Channels in a block.
constexpr int block_width = 2 * vec_size;

/// A block's channels. In what order they lie in the two registers depends on the element type
/// (position_in_block): bfloat16 is cheapest to widen as even and odd channels.
struct Block {
  Vec a, b;
};

template <typename T>
constexpr int position_in_block(int channel) {
  return std::is_same_v<T, c10::BFloat16> ? (channel % 2) * vec_size + channel / 2 : channel;
}

[[gnu::always_inline]] inline Vec multiply_add(Vec x, Vec y, Vec sum) {
#ifdef MPBENCH_SIMD_AVX512
  return _mm512_fmadd_ps(x, y, sum);
#else
  return _mm256_fmadd_ps(x, y, sum);
#endif
}

[[gnu::always_inline]] inline Block multiply_add(Block x, Block y, Block sum) {
  return {multiply_add(x.a, y.a, sum.a), multiply_add(x.b, y.b, sum.b)};
}

/// Asks for a cache line that will be read or written soon; it need not be there.
[[gnu::always_inline]] inline void prefetch(const void* line) {
  // gcc takes a function that only calls __builtin_prefetch for one without effect, and leaves its
  // calls out.
  asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(line)));
}

template <typename T>
[[gnu::always_inline]] inline void prefetch_block(const T* block) {
  constexpr int cache_line = 64 / sizeof(T);
  prefetch(block);
  if (block_width > cache_line) prefetch(block + cache_line);
}

[[gnu::always_inline]] inline Block zero_block() { return {Vec{}, Vec{}}; }

/// Packed float32: `block_width` values in the order of position_in_block.
[[gnu::always_inline]] inline Block load_packed(const float* from) {
#ifdef MPBENCH_SIMD_AVX512
  return {_mm512_loadu_ps(from), _mm512_loadu_ps(from + vec_size)};
#else
  return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + vec_size)};
#endif
}

[[gnu::always_inline]] inline void store_packed(float* to, Block block) {
#ifdef MPBENCH_SIMD_AVX512
  _mm512_storeu_ps(to, block.a);
  _mm512_storeu_ps(to + vec_size, block.b);
#else
  _mm256_storeu_ps(to, block.a);
  _mm256_storeu_ps(to + vec_size, block.b);
#endif
}

#ifdef MPBENCH_SIMD_AVX512

/// The tail mask: which of a block's channels there are, the first so many. Loads give zero for the
/// others, stores leave them.
struct TailMask {
  explicit TailMask(std::int64_t channels)
      : bits(channels >= block_width ? ~__mmask32{0} : (__mmask32{1} << channels) - 1) {}
  __mmask16 low() const { return static_cast<__mmask16>(bits); }
  __mmask16 high() const { return static_cast<__mmask16>(bits >> 16); }
  __mmask32 bits;
};

[[gnu::always_inline]] inline Block load(const c10::BFloat16* from, TailMask mask) {
  const __m512i pairs = _mm512_maskz_loadu_epi16(mask.bits, from);
  return {_mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)),
          _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-0x10000)))};
}

[[gnu::always_inline]] inline Block load(const c10::Half* from, TailMask mask) {
  const __m512i halves = _mm512_maskz_loadu_epi16(mask.bits, from);
  return {_mm512_cvtph_ps(_mm512_castsi512_si256(halves)),
          _mm512_cvtph_ps(_mm512_extracti64x4_epi64(halves, 1))};
}

[[gnu::always_inline]] inline Block load(const float* from, TailMask mask) {
  return {_mm512_maskz_loadu_ps(mask.low(), from),
          _mm512_maskz_loadu_ps(mask.high(), from + vec_size)};
}

/// Rounds to the nearest bfloat16, ties to even, in the upper half of each lane; NaN stays NaN.
[[gnu::always_inline]] inline __m512i round_to_upper_half(__m512 value) {
  const __m512i bits = _mm512_castps_si512(value);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  return _mm512_mask_mov_epi32(rounded, nan, _mm512_set1_epi32(0x7fc00000));
}

[[gnu::always_inline]] inline void store(c10::BFloat16* to, Block block, TailMask mask) {
  const __m512i even = _mm512_srli_epi32(round_to_upper_half(block.a), 16);
  const __m512i odd = round_to_upper_half(block.b);
  _mm512_mask_storeu_epi16(to, mask.bits, _mm512_mask_blend_epi16(0xaaaaaaaa, even, odd));
}

[[gnu::always_inline]] inline void store(c10::Half* to, Block block, TailMask mask) {
  constexpr int rounding = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  const __m256i low = _mm512_cvtps_ph(block.a, rounding);
  const __m256i high = _mm512_cvtps_ph(block.b, rounding);
  _mm512_mask_storeu_epi16(to, mask.bits, _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1));
}

[[gnu::always_inline]] inline void store(float* to, Block block, TailMask mask) {
  _mm512_mask_storeu_ps(to, mask.low(), block.a);
  _mm512_mask_storeu_ps(to + vec_size, mask.high(), block.b);
}

#else

struct TailMask {
  explicit TailMask(std::int64_t channels)
      : count(static_cast<int>(std::min<std::int64_t>(channels, block_width))) {}
  bool whole() const { return count == block_width; }
  int count;
};

[[gnu::always_inline]] inline Block widen(const c10::BFloat16* from) {
  const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)),
          _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32(-0x10000)))};
}

[[gnu::always_inline]] inline Block widen(const c10::Half* from) {
  const auto* halves = reinterpret_cast<const __m128i*>(from);
  return {_mm256_cvtph_ps(_mm_loadu_si128(halves)), _mm256_cvtph_ps(_mm_loadu_si128(halves + 1))};
}

[[gnu::always_inline]] inline Block widen(const float* from) { return load_packed(from); }

/// Rounds to the nearest bfloat16, ties to even, in the upper half of each lane; NaN stays NaN.
[[gnu::always_inline]] inline __m256i round_to_upper_half(__m256 value) {
  const __m256i bits = _mm256_castps_si256(value);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));
  return _mm256_blendv_epi8(rounded, _mm256_set1_epi32(0x7fc00000), nan);
}

[[gnu::always_inline]] inline void narrow(c10::BFloat16* to, Block block) {
  const __m256i even = _mm256_srli_epi32(round_to_upper_half(block.a), 16);
  const __m256i odd = round_to_upper_half(block.b);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_blend_epi16(even, odd, 0xaa));
}

[[gnu::always_inline]] inline void narrow(c10::Half* to, Block block) {
  constexpr int rounding = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  auto* halves = reinterpret_cast<__m128i*>(to);
  _mm_storeu_si128(halves, _mm256_cvtps_ph(block.a, rounding));
  _mm_storeu_si128(halves + 1, _mm256_cvtps_ph(block.b, rounding));
}

[[gnu::always_inline]] inline void narrow(float* to, Block block) { store_packed(to, block); }

template <typename T>
[[gnu::always_inline]] inline Block load(const T* from, TailMask mask) {
  if (mask.whole()) return widen(from);
  alignas(32) unsigned char bytes[block_width * sizeof(T)] = {};
  std::memcpy(bytes, from, static_cast<std::size_t>(mask.count) * sizeof(T));
  return widen(reinterpret_cast<const T*>(bytes));
}

template <typename T>
[[gnu::always_inline]] inline void store(T* to, Block block, TailMask mask) {
  if (mask.whole()) return narrow(to, block);
  alignas(32) unsigned char bytes[block_width * sizeof(T)];
  narrow(reinterpret_cast<T*>(bytes), block);
  std::memcpy(to, bytes, static_cast<std::size_t>(mask.count) * sizeof(T));
}

#endif

MPBENCH_TARGET_END
