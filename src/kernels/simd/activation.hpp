#pragma once

#include "mpbench/kernels/batch_norm_activation.hpp"
#include "vec.hpp"

// Activations and their derivatives, a vector register at a time.

MPBENCH_TARGET_BEGIN

#ifdef MPBENCH_SIMD_AVX512

[[gnu::always_inline]] inline Vec broadcast(float value) { return _mm512_set1_ps(value); }
[[gnu::always_inline]] inline Vec divide(Vec a, Vec b) { return _mm512_div_ps(a, b); }
/// The second where one is NaN.
[[gnu::always_inline]] inline Vec least(Vec a, Vec b) { return _mm512_min_ps(a, b); }
[[gnu::always_inline]] inline Vec largest(Vec a, Vec b) { return _mm512_max_ps(a, b); }
[[gnu::always_inline]] inline Vec nearest_integer(Vec value) {
  return _mm512_roundscale_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/// value * 2^exponent.
[[gnu::always_inline]] inline Vec scale_by_power(Vec value, Vec exponent) {
  return _mm512_scalef_ps(value, exponent);
}
/// value where low < tested < high, else 0.
[[gnu::always_inline]] inline Vec where_between(Vec low, Vec tested, Vec high, Vec value) {
  const __mmask16 above = _mm512_cmp_ps_mask(low, tested, _CMP_LT_OQ);
  return _mm512_maskz_mov_ps(_mm512_mask_cmp_ps_mask(above, tested, high, _CMP_LT_OQ), value);
}

#else

[[gnu::always_inline]] inline Vec broadcast(float value) { return _mm256_set1_ps(value); }
[[gnu::always_inline]] inline Vec divide(Vec a, Vec b) { return _mm256_div_ps(a, b); }
[[gnu::always_inline]] inline Vec least(Vec a, Vec b) { return _mm256_min_ps(a, b); }
[[gnu::always_inline]] inline Vec largest(Vec a, Vec b) { return _mm256_max_ps(a, b); }
[[gnu::always_inline]] inline Vec nearest_integer(Vec value) {
  return _mm256_round_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
[[gnu::always_inline]] inline Vec scale_by_power(Vec value, Vec exponent) {
  const __m256i power = _mm256_add_epi32(_mm256_cvtps_epi32(exponent), _mm256_set1_epi32(127));
  return value * _mm256_castsi256_ps(_mm256_slli_epi32(power, 23));
}
[[gnu::always_inline]] inline Vec where_between(Vec low, Vec tested, Vec high, Vec value) {
  const __m256 inside = _mm256_and_ps(_mm256_cmp_ps(low, tested, _CMP_LT_OQ),
                                      _mm256_cmp_ps(tested, high, _CMP_LT_OQ));
  return _mm256_and_ps(inside, value);
}

#endif

/// e^value to one unit of float32, for |value| up to 87; held at that beyond. NaN stays NaN.
[[gnu::always_inline]] inline Vec exponential(Vec value) {
  const Vec held = largest(broadcast(-87.0F), least(broadcast(87.0F), value));
  const Vec power = nearest_integer(held * broadcast(1.44269504F));
  // ln 2 in two parts, so that the rest is exact; then Taylor's series for |rest| <= ln 2 / 2.
  Vec rest = multiply_add(power, broadcast(-0.693359375F), held);
  rest = multiply_add(power, broadcast(2.12194440e-4F), rest);
  Vec sum = broadcast(1.0F / 5040);
  sum = multiply_add(sum, rest, broadcast(1.0F / 720));
  sum = multiply_add(sum, rest, broadcast(1.0F / 120));
  sum = multiply_add(sum, rest, broadcast(1.0F / 24));
  sum = multiply_add(sum, rest, broadcast(1.0F / 6));
  sum = multiply_add(sum, rest, broadcast(0.5F));
  sum = multiply_add(sum, rest, broadcast(1.0F));
  sum = multiply_add(sum, rest, broadcast(1.0F));
  return scale_by_power(sum, power);
}

[[gnu::always_inline]] inline Vec sigmoid(Vec value) {
  const Vec one = broadcast(1.0F);
  return divide(one, one + exponential(-value));
}

template <Activation activation>
[[gnu::always_inline]] inline Vec activate(Vec z) {
  if constexpr (activation == Activation::relu) return largest(Vec{}, z);
  if constexpr (activation == Activation::relu6) {
    return least(broadcast(6.0F), largest(Vec{}, z));
  }
  if constexpr (activation == Activation::silu) return z * sigmoid(z);
  return z;
}

/// dy * activation'(z), as torch's: 0 at ReLU's and ReLU6's corners.
template <Activation activation>
[[gnu::always_inline]] inline Vec through_activation(Vec z, Vec dy) {
  if constexpr (activation == Activation::relu) {
    return where_between(Vec{}, z, broadcast(__builtin_inff()), dy);
  }
  if constexpr (activation == Activation::relu6) {
    return where_between(Vec{}, z, broadcast(6.0F), dy);
  }
  if constexpr (activation == Activation::silu) {
    const Vec s = sigmoid(z);
    const Vec one = broadcast(1.0F);
    return dy * s * multiply_add(z, one - s, one);
  }
  return dy;
}

MPBENCH_TARGET_END
