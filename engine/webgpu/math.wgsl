// Functions for the expressions of the schema: NAME_f of numbers as f32, NAME_i as i32, NAME_c of complex ones as vec2<f32>. A kernel gets those that its text calls. What WGSL has of
// the same name is used only where its accuracy is that of the CPU's functions: the standard allows sin and exp errors that show. Algorithms and
// coefficients are those of engine/cpu/math.h. Infinity and NaN are made from words and told by their bits, because WGSL knows neither literals
// for them nor promises about comparisons with them.

fn inf() -> f32 { return bitcast<f32>(inf_word); }
fn nan() -> f32 { return bitcast<f32>(nan_word); }
fn bits(x: f32) -> u32 { return bitcast<u32>(x); }
// x, of which a compiler does not see where it comes from: it may take (1 + x) - 1 for x, and (x * y) / y.
fn settled(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x)); }
fn isnan_f(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn isinf_f(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }
fn isfinite_f(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }
fn signbit_f(x: f32) -> bool { return (bitcast<u32>(x) >> 31u) != 0u; }
fn signbit_i(x: i32) -> bool { return x < 0; }
fn abs_f(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu); }
fn abs_i(x: i32) -> i32 { return abs(x); }
fn zero_times_f(x: f32) -> f32 { return select(bitcast<f32>(bitcast<u32>(x) & 0x80000000u), nan(), !isfinite_f(x)); }
fn copysign_f(x: f32, y: f32) -> f32 { return bitcast<f32>((bitcast<u32>(x) & 0x7fffffffu) | (bitcast<u32>(y) & 0x80000000u)); }

// float16 and bfloat16 in memory are float32 rounded to nearest, ties to even.
fn round_bfloat(x: f32) -> u32 {
  let u = bitcast<u32>(x);
  if ((u & 0x7fffffffu) > 0x7f800000u) { return 0x7fc00000u; }
  return (u + 0x7fffu + ((u >> 16u) & 1u)) & 0xffff0000u;
}
fn round_half(x: f32) -> u32 {
  let u = bitcast<u32>(x);
  let sign = u & 0x80000000u;
  let a = u & 0x7fffffffu;
  if (a >= 0x7f800000u) { return u; }
  if (a < 0x38800000u) { // below 2^-14: steps of 2^-24
    let y = round(bitcast<f32>(a) * 16777216.0) * 0x1p-24f;
    return sign | bitcast<u32>(y);
  }
  let r = (a + 0xfffu + ((a >> 13u) & 1u)) & 0xffffe000u;
  return sign | select(r, 0x7f800000u, r >= 0x47800000u);
}

// ---- comparisons and steps

// != of WGSL says no where one is a NaN
fn ne_f(x: f32, y: f32) -> bool { return x != y || isnan_f(x) || isnan_f(y); }

fn max_f(x: f32, y: f32) -> f32 { return select(select(y, x, x > y), select(y, x, isnan_f(x)), isnan_f(x) || isnan_f(y)); }
fn min_f(x: f32, y: f32) -> f32 { return select(select(y, x, x < y), select(y, x, isnan_f(x)), isnan_f(x) || isnan_f(y)); }
fn fmax_f(x: f32, y: f32) -> f32 { return select(select(select(y, x, x > y), x, isnan_f(y)), y, isnan_f(x)); }
fn fmin_f(x: f32, y: f32) -> f32 { return select(select(select(y, x, x < y), x, isnan_f(y)), y, isnan_f(x)); }
fn max_i(x: i32, y: i32) -> i32 { return max(x, y); }
fn min_i(x: i32, y: i32) -> i32 { return min(x, y); }
fn sign_f(x: f32) -> f32 { return select(0.0, 1.0, x > 0.0) - select(0.0, 1.0, x < 0.0); }
fn sign_i(x: i32) -> i32 { return sign(x); }
fn floor_f(x: f32) -> f32 { return select(copysign_f(floor(x), x), x, !isfinite_f(x)); }
fn ceil_f(x: f32) -> f32 { return select(copysign_f(ceil(x), x), x, !isfinite_f(x)); }
fn trunc_f(x: f32) -> f32 { return select(copysign_f(trunc(x), x), x, !isfinite_f(x)); }
fn round_f(x: f32) -> f32 { return select(copysign_f(round(x), x), x, !isfinite_f(x)); }
fn frac_f(x: f32) -> f32 { return select(x - trunc(x), nan(), !isfinite_f(x)); }

// The division of WGSL may be off by 2.5 units; one step of Newton's makes it nearly exact where that cannot overflow. What is no number is decided by
// bits, since a compiler may take x / x for 1; and the inverse of a large number may count as zero.
fn div_f(numerator: f32, y: f32) -> f32 {
  let x = settled(numerator);
  let a = bits(x) & 0x7fffffffu;
  let b = bits(y) & 0x7fffffffu;
  if (max(a, b) > 0x7f800000u || (a == b && (a == 0u || a == 0x7f800000u))) { return nan(); }
  let s = select(1.0, 0x1p-24f, b > 0x7e000000u && b < 0x7f800000u);
  let q = (x * s) / (y * s);
  if (!isfinite_f(q) || abs(q) > 1e30 || abs(y) < 1e-30 || abs(y) > 1e30) { return q; }
  let r = fma(-q, y, x);
  return select(q + r / y, q, q == 0.0 || !isfinite_f(r));
}
fn sqrt_f(x: f32) -> f32 {
  if (x < 0.0) { return nan(); }
  if (x == 0.0 || !isfinite_f(x)) { return x; }
  let s = sqrt(x);
  let r = fma(-s, s, x);
  return select(s + r / (2.0 * s), s, x < 1e-30 || x > 1e30);
}
fn rsqrt_f(x: f32) -> f32 {
  if (x == 0.0) { return copysign_f(inf(), x); }
  return div_f(1.0, sqrt_f(x));
}
fn hypot_f(x: f32, y: f32) -> f32 {
  if (isinf_f(x) || isinf_f(y)) { return inf(); }
  let a = max(abs(x), abs(y));
  let b = min(abs(x), abs(y));
  if (isnan_f(x) || isnan_f(y)) { return nan(); }
  if (a == 0.0) { return 0.0; }
  let r = b / a;
  return a * sqrt(1.0 + r * r);
}

// x - y * trunc(x / y), exactly: subtracts multiples of y from the top bit down.
fn fmod_f(x: f32, y: f32) -> f32 {
  if (isnan_f(x) || isnan_f(y) || isinf_f(x) || y == 0.0) { return nan(); }
  if (isinf_f(y)) { return x; }
  var a = abs(x);
  let b = abs(y);
  for (var k = 0; k < 300 && a >= b; k++) {
    let ea = i32(bits(a) >> 23u);
    let eb = i32(bits(b) >> 23u);
    var s = b;
    if (ea > eb) {
      s = bitcast<f32>((bits(b) & 0x7fffffu) | (u32(ea) << 23u));
      if (eb == 0) { s = b * exp2(f32(min(ea - 1, 100))); }
      if (s > a) { s = s * 0.5; }
    }
    a = a - s;
  }
  return copysign_f(a, x);
}
fn remainder_f(x: f32, y: f32) -> f32 {
  let m = fmod_f(x, y);
  return select(m, m + y, m != 0.0 && !isnan_f(m) && ((y < 0.0) != (m < 0.0)));
}
fn floor_divide_f(x: f32, y: f32) -> f32 {
  if (y == 0.0) {
    if (x == 0.0 || isnan_f(x)) { return nan(); }
    return copysign_f(inf(), bitcast<f32>(bits(x) ^ bits(y)));
  }
  let m = fmod_f(x, y);
  var q = div_f(x - m, y);
  if (m != 0.0 && ((y < 0.0) != (m < 0.0))) { q = q - 1.0; }
  if (isnan_f(q)) { return nan(); }
  if (q == 0.0) { return copysign_f(0.0, bitcast<f32>(bits(x) ^ bits(y))); }
  let f = floor(q);
  return select(f, f + 1.0, q - f > 0.5);
}
fn fmod_i(x: i32, y: i32) -> i32 { return select(x % select(y, 1, y == 0 || y == -1), 0, y == 0 || y == -1); }
fn remainder_i(x: i32, y: i32) -> i32 {
  let m = fmod_i(x, y);
  return select(m, m + y, m != 0 && ((m < 0) != (y < 0)));
}
fn trunc_divide_i(x: i32, y: i32) -> i32 {
  if (y == 0) { return 0; }
  if (y == -1) { return -x; }
  return x / y;
}
fn floor_divide_i(x: i32, y: i32) -> i32 {
  let q = trunc_divide_i(x, y);
  return select(q, q - 1, y != 0 && q * y != x && ((x < 0) != (y < 0)));
}
fn lshift_i(x: i32, y: i32) -> i32 { return select(x << u32(y & 31), 0, y < 0 || y > 31); }
fn rshift_i(x: i32, y: i32) -> i32 { return x >> u32(select(y, 31, y < 0 || y > 31)); }
fn pow_i(x: i32, y: i32) -> i32 {
  if (y < 0) { return select(select(0, select(1, -1, (y & 1) != 0), x == -1), 1, x == 1); }
  var result = 1;
  var square = x;
  for (var e = y; e != 0; e = e >> 1u) {
    if ((e & 1) != 0) { result = result * square; }
    square = square * square;
  }
  return result;
}
fn gcd_i(x: i32, y: i32) -> i32 {
  var a = abs(x);
  var b = abs(y);
  while (b != 0) {
    let r = a % b;
    a = b;
    b = r;
  }
  return a;
}
fn lcm_i(x: i32, y: i32) -> i32 {
  let g = gcd_i(x, y);
  return select(abs(x / select(g, 1, g == 0) * y), 0, g == 0);
}

// ---- int64, of which the device keeps 32 bits: NAME_l. What does not fit leaves the error 4 (TJ__GPU_OVERFLOW); kernels that call these have one.

fn too_large_l() { leave_error(4u, 0u, 0u); }
fn add_l(x: i32, y: i32) -> i32 {
  let s = x + y;
  if (((x ^ s) & (y ^ s)) < 0) { too_large_l(); }
  return s;
}
fn sub_l(x: i32, y: i32) -> i32 {
  let s = x - y;
  if (((x ^ y) & (x ^ s)) < 0) { too_large_l(); }
  return s;
}
fn mul_l(x: i32, y: i32) -> i32 {
  let p = x * y;
  if (y == -1 || x == -1) {
    if (p == -2147483647 - 1) { too_large_l(); }
  } else if (y != 0 && p / y != x) { too_large_l(); }
  return p;
}
fn trunc_divide_l(x: i32, y: i32) -> i32 {
  if (y == -1 && x == -2147483647 - 1) { too_large_l(); }
  return trunc_divide_i(x, y);
}
fn floor_divide_l(x: i32, y: i32) -> i32 {
  if (y == -1 && x == -2147483647 - 1) { too_large_l(); }
  return floor_divide_i(x, y);
}
fn abs_l(x: i32) -> i32 {
  if (x == -2147483647 - 1) { too_large_l(); }
  return abs(x);
}
fn lshift_l(x: i32, y: i32) -> i32 {
  let s = lshift_i(x, y);
  if (x != 0 && y >= 0 && y < 64 && (y > 31 || (s >> u32(y & 31)) != x)) { too_large_l(); }
  return s;
}
fn pow_l(x: i32, y: i32) -> i32 {
  if (y < 0) { return pow_i(x, y); }
  var result = 1;
  var square = x;
  for (var e = y; e != 0; e = e >> 1u) {
    if ((e & 1) != 0) { result = mul_l(result, square); }
    if (e > 1) { square = mul_l(square, square); }
  }
  return result;
}
fn lcm_l(x: i32, y: i32) -> i32 {
  let g = gcd_i(x, y);
  if (g == 0) { return 0; }
  return abs_l(mul_l(x / g, y));
}
// a number as an integer: what is none, or does not fit, is an error
// What the CPU makes of a number that no int32 is: narrower integers are cut from it.
fn whole_i(x: f32) -> i32 { return select(i32(x), -2147483648, (bits(x) & 0x7fffffffu) >= 0x4f000000u); }
fn whole_l(x: f32) -> i32 {
  if (!(x >= -2147483648.0 && x < 2147483648.0) || isnan_f(x)) { too_large_l(); return 0; }
  return i32(x);
}

// ---- exponentials

fn expm1_reduced(r: f32) -> f32 {
  var p = 0x1.a03282p-13f;
  p = p * r + 0x1.6d78d8p-10f;
  p = p * r + 0x1.11118ep-7f;
  p = p * r + 0x1.5554aap-5f;
  p = p * r + 0x1.555554p-3f;
  p = p * r + 0.5;
  return (p * r) * r + r;
}
fn exp_f(x: f32) -> f32 {
  if (isnan_f(x)) { return x; }
  if (x > 88.8) { return inf(); }
  if (x < -104.0) { return 0.0; }
  let k = round(x * 1.44269504);
  let n = i32(k);
  let r = fma(k, 2.12194440e-4, fma(k, -0.693359375, x));
  let p = 1.0 + expm1_reduced(r);
  let half_ = n >> 1u;
  return (p * bitcast<f32>(u32(half_ + 127) << 23u)) * bitcast<f32>(u32(n - half_ + 127) << 23u);
}
fn exp2_f(x: f32) -> f32 {
  if (isnan_f(x)) { return x; }
  if (x >= 128.0) { return inf(); }
  if (x < -150.0) { return 0.0; }
  let k = round(x);
  let n = i32(k);
  let p = 1.0 + expm1_reduced((x - k) * 0.69314718056);
  let half_ = n >> 1u;
  return (p * bitcast<f32>(u32(half_ + 127) << 23u)) * bitcast<f32>(u32(n - half_ + 127) << 23u);
}
fn expm1_f(x: f32) -> f32 {
  if (isnan_f(x) || x == 0.0) { return x; }
  if (x > 88.8) { return inf(); }
  let y = max(x, -30.0);
  let k = round(y * 1.44269504);
  let n = i32(k);
  let r = fma(k, 2.12194440e-4, fma(k, -0.693359375, y));
  let p = expm1_reduced(r);
  let m = select(n, n - 1, n > 126);
  let s = bitcast<f32>(u32(m + 127) << 23u);
  let v = s * p + (s - select(1.0, 0.5, n > 126));
  return select(v, v + v, n > 126);
}

// ---- logarithms

fn log_tail(f: f32) -> f32 {
  var p = 0x1.1457a8p-4f;
  p = p * f - 0x1.de3c16p-4f;
  p = p * f + 0x1.e6f06ap-4f;
  p = p * f - 0x1.fc2208p-4f;
  p = p * f + 0x1.233768p-3f;
  p = p * f - 0x1.555c4ep-3f;
  p = p * f + 0x1.99a4b6p-3f;
  p = p * f - 0x1.000006p-2f;
  return p * f + 0x1.555548p-2f;
}
// x = 2^e (1 + f), 1 + f in [sqrt(1/2), sqrt(2)); for positive finite x, without its subnormals where the device flushes them
fn log_parts(x: f32) -> vec2<f32> {
  let tiny = bits(x) < 0x00800000u;
  let y = select(x, f32(bits(x)) * 0x1p-126f, tiny);
  let u = bits(y) - 0x3f3504f3u;
  let e = f32(bitcast<i32>(u) >> 23u) - select(0.0, 23.0, tiny);
  return vec2<f32>(e, bitcast<f32>((u & 0x7fffffu) + 0x3f3504f3u) - 1.0);
}
fn log_positive(x: f32) -> f32 {
  let parts = log_parts(x);
  let e = parts.x;
  let f = parts.y;
  let f2 = f * f;
  var y = f2 * f * log_tail(f) + e * -2.12194440e-4;
  y = y - 0.5 * f2;
  return (f + y) + e * 0.693359375;
}
fn log_f(x: f32) -> f32 {
  if (isnan_f(x)) { return x; }
  if ((bits(x) & 0x7fffffffu) == 0u) { return -inf(); }
  if (signbit_f(x)) { return nan(); }
  if (isinf_f(x)) { return x; }
  return log_positive(x);
}
fn log1p_f(x: f32) -> f32 {
  if (isnan_f(x) || x == 0.0) { return x; }
  if (x == -1.0) { return -inf(); }
  if (x < -1.0) { return nan(); }
  if (isinf_f(x)) { return x; }
  if (abs(x) > 0.4) { return log_positive(1.0 + x); }
  // 2 artanh(s), which needs no difference that a compiler would simplify
  let s = div_f(x, 2.0 + x);
  let z = s * s;
  var p = z * 0.09090909 + 0.11111111;
  p = p * z + 0.14285715;
  p = p * z + 0.2;
  p = p * z + 0.33333334;
  return 2.0 * (s + s * z * p);
}
fn log2_f(x: f32) -> f32 {
  if (isnan_f(x)) { return x; }
  if ((bits(x) & 0x7fffffffu) == 0u) { return -inf(); }
  if (signbit_f(x)) { return nan(); }
  if (isinf_f(x)) { return x; }
  let parts = log_parts(x);
  let f = parts.y;
  let f2 = f * f;
  let tail = f2 * f * log_tail(f) - 0.5 * f2;
  return fma(f, 1.44269504, fma(f, 1.925963033e-8, tail * 1.44269504)) + parts.x;
}
fn log10_f(x: f32) -> f32 {
  if (isnan_f(x)) { return x; }
  if ((bits(x) & 0x7fffffffu) == 0u) { return -inf(); }
  if (signbit_f(x)) { return nan(); }
  if (isinf_f(x)) { return x; }
  let parts = log_parts(x);
  let f = parts.y;
  let f2 = f * f;
  let y = f + (f2 * f * log_tail(f) - 0.5 * f2);
  return fma(parts.x, 0.30102999566, y * 0.43429448190);
}

// ---- powers: log2 of x to about 2^-40 of itself in two numbers, so that the product with y keeps its digits

fn two_sum(a: f32, b: f32) -> vec2<f32> {
  let s = settled(a + b);
  let t = settled(s - a);
  return vec2<f32>(s, (a - (s - t)) + (b - t));
}
fn split_f(x: f32) -> vec2<f32> {
  let high = bitcast<f32>(bits(x) & 0xfffff000u);
  return vec2<f32>(high, x - high);
}
fn two_product(a: f32, b: f32) -> vec2<f32> {
  let p = a * b;
  let x = split_f(a);
  let y = split_f(b);
  return vec2<f32>(p, ((x.x * y.x - p) + x.x * y.y + x.y * y.x) + x.y * y.y);
}
fn log2_double(x: f32) -> vec2<f32> {
  let parts = log_parts(x);
  let f = parts.y;
  // s = f / (2 + f) in two numbers; log2(1 + f) = 2/ln2 (s + s^3/3 + s^5/5 + ...)
  let d = two_sum(2.0, f);
  let s = f / d.x;
  let back = two_product(s, d.x);
  let s_low = ((f - back.x) - back.y - s * d.y) / d.x;
  let z = s * s;
  let tail = s * z * (0.33333333333 + z * (0.2 + z * (0.14285714286 + z * (0.11111111111 + z * 0.0909090909))));
  let whole = two_sum(s, s_low + tail);
  let scaled = two_product(whole.x, 2.8853900432586670); // 2 / ln 2 to 24 bits
  let low = scaled.y + whole.y * 2.88539004 + whole.x * 3.851926066e-8;
  let sum = two_sum(parts.x, scaled.x);
  return two_sum(sum.x, sum.y + low);
}
fn pow_positive(a: f32, y: f32) -> f32 {
  let l = log2_double(a);
  let p = two_product(y, l.x);
  let z = p.x;
  if (z > 200.0) { return inf(); }
  if (z < -200.0) { return 0.0; }
  let rest = p.y + y * l.y;
  let k = round(z);
  let r = ((z - k) + rest) * 0.69314718056;
  let n = i32(k);
  let e = 1.0 + expm1_reduced(r);
  let half_ = n >> 1u;
  return (e * bitcast<f32>(u32(half_ + 127) << 23u)) * bitcast<f32>(u32(n - half_ + 127) << 23u);
}
fn pow_f(x: f32, y: f32) -> f32 {
  if (x == 1.0 || y == 0.0) { return 1.0; }
  if (isnan_f(x) || isnan_f(y)) { return nan(); }
  if (y == 1.0) { return x; }
  let a = abs_f(x);
  if (isinf_f(y)) {
    if (a == 1.0) { return 1.0; }
    return select(0.0, inf(), (a > 1.0) == (y > 0.0));
  }
  let whole = floor(y) == y;
  let odd = whole && abs(y) < 16777216.0 && floor(y * 0.5) != y * 0.5;
  var r = 0.0;
  if (a == 0.0) { r = select(0.0, inf(), y < 0.0); }
  else if (isinf_f(a)) { r = select(inf(), 0.0, y < 0.0); }
  else {
    if (x < 0.0 && !whole) { return nan(); }
    r = pow_positive(a, y);
  }
  return select(r, -r, odd && signbit_f(x));
}

// ---- hyperbolic, logistic, error function

fn tanh_f(x: f32) -> f32 {
  if (isnan_f(x) || x == 0.0) { return x; }
  let a = abs(x);
  if (a >= 0.625) { return copysign_f(1.0 - 2.0 / (exp_f(min(a + a, 40.0)) + 1.0), x); }
  let z = x * x;
  var p = 0x1.12f3dap-9f;
  p = p * z - 0x1.0a5f00p-7f;
  p = p * z + 0x1.633b68p-6f;
  p = p * z - 0x1.b9e782p-5f;
  p = p * z + 0x1.111044p-3f;
  p = p * z - 0x1.555554p-2f;
  return (p * z) * x + x;
}
fn sigmoid_f(x: f32) -> f32 {
  let e = exp_f(-abs_f(x));
  return div_f(select(1.0, e, x < 0.0), 1.0 + e);
}
fn erf_f(x: f32) -> f32 {
  if (isnan_f(x) || x == 0.0) { return x; }
  let a = abs(x);
  if (a >= 1.0) {
    let b = min(a, 4.0);
    var q = -0x1.68a4cep-16f;
    q = q * b + 0x1.cc6f82p-12f;
    q = q * b - 0x1.12d50ep-8f;
    q = q * b + 0x1.9c8836p-6f;
    q = q * b - 0x1.bbe4c4p-4f;
    q = q * b - 0x1.443b00p-1f;
    q = q * b - 0x1.212aa2p+0f;
    q = q * b + 0x1.80b538p-13f;
    return copysign_f(1.0 - exp_f(q), x);
  }
  let z = x * x;
  var p = -0x1.44cfa6p-17f;
  p = p * z + 0x1.d8b882p-14f;
  p = p * z - 0x1.bcd7dcp-11f;
  p = p * z + 0x1.562b1ap-8f;
  p = p * z - 0x1.b829d8p-6f;
  p = p * z + 0x1.ce2f0ap-4f;
  p = p * z - 0x1.812746p-2f;
  p = p * z + 0x1.06eba8p-3f;
  return p * x + x;
}
fn normal_cdf_f(x: f32) -> f32 { return 0.5 * (1.0 + erf_f(x * 0.70710678)); }
// erfc(b) exp(b^2) for b >= 1, from 1 / (1 + b / 2)
fn erfc_scaled(b: f32) -> f32 {
  let u = 1.0 / (1.0 + 0.5 * b);
  var p = 0x1.de7cb8p-8f;
  p = p * u + 0x1.afb3bcp-7f;
  p = p * u - 0x1.32498fp-2f;
  p = p * u + 0x1.2bd462p+0f;
  p = p * u - 0x1.2e1fd3p+1f;
  p = p * u + 0x1.6f387dp+1f;
  p = p * u - 0x1.1ba989p+1f;
  p = p * u + 0x1.33678ep+0f;
  p = p * u - 0x1.2d4035p-1f;
  p = p * u + 0x1.54cac2p-3f;
  p = p * u + 0x1.596c1dp-5f;
  p = p * u + 0x1.78938bp-3f;
  p = p * u + 0x1.f777e4p-3f;
  p = p * u + 0x1.20f52bp-2f;
  p = p * u + 0x1.20dc23p-2f;
  p = p * u + 0x1.16707ap-23f;
  return p;
}
fn erfc_f(x: f32) -> f32 {
  if (isnan_f(x)) { return x; }
  let a = abs_f(x);
  if (a < 1.0) { return 1.0 - erf_f(x); }
  let b = min(a, 11.0);
  let s = two_product(b, b);
  let tail = exp_f(-s.x) * (1.0 - s.y) * erfc_scaled(b);
  return select(tail, 2.0 - tail, x < 0.0);
}
fn sinh_f(x: f32) -> f32 {
  if (isnan_f(x) || isinf_f(x) || x == 0.0) { return x; }
  let a = abs_f(x);
  if (a < 1e-3) { return x + x * x * x / 6.0; }
  if (a > 88.0) { let h = exp_f(a * 0.5); return copysign_f(0.5 * h * h, x); }
  let e = expm1_f(a);
  return copysign_f(0.5 * (e + e / (e + 1.0)), x);
}
fn cosh_f(x: f32) -> f32 {
  let a = abs_f(x);
  if (a > 88.0) { let h = exp_f(a * 0.5); return 0.5 * h * h; }
  let e = exp_f(a);
  return 0.5 * e + 0.5 / e;
}
fn asinh_f(x: f32) -> f32 {
  if (isnan_f(x) || isinf_f(x) || x == 0.0) { return x; }
  let a = abs(x);
  if (a > 1e8) { return copysign_f(log_f(a) + 0.69314718056, x); }
  return copysign_f(log1p_f(a + a * a / (1.0 + sqrt(1.0 + a * a))), x);
}
fn acosh_f(x: f32) -> f32 {
  if (isnan_f(x) || x < 1.0) { return nan(); }
  if (x > 1e8) { return log_f(x) + 0.69314718056; }
  let t = x - 1.0;
  return log1p_f(t + sqrt(t * (x + 1.0)));
}
fn atanh_f(x: f32) -> f32 {
  if (isnan_f(x) || x == 0.0) { return x; }
  let a = abs(x);
  if (a > 1.0) { return nan(); }
  if (a == 1.0) { return copysign_f(inf(), x); }
  return copysign_f(0.5 * log1p_f(2.0 * a / (1.0 - a)), x);
}

// ---- sine and its like

// x less the nearest multiple of pi/2, and which multiple
fn reduce_f(x: f32) -> vec2<f32> {
  let n = round(x * 0.63661977236758134);
  let a = two_product(n, -0x1.921fb6p+0f);
  let s = two_sum(x, a.x);
  var r = s.x + (s.y + a.y + n * 0x1.777a5cp-25f);
  return vec2<f32>(r, n);
}
// Past 2^17 the multiple itself is inexact in f32: there the mantissa is multiplied by those 96 bits of 2/pi that can matter (Payne and Hanek).
fn reduce_far(x: f32) -> vec2<f32> {
  var digits = array<u32, 8>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
  let m = (bits(x) & 0x7fffffu) | 0x800000u;
  let from_ = ((bits(x) >> 23u) & 0xffu) - 120u; // bits before are multiples of 4 (quarters of the circle), once they are multiplied
  let at = from_ >> 5u;
  let s = from_ & 31u;
  var w = array<u32, 3>();
  for (var k = 0u; k < 3u; k += 1u) { w[k] = (digits[at + k] << s) | select(digits[at + k + 1u] >> (32u - s), 0u, s == 0u); }
  let middle = m * w[1];
  let low = middle + mul_high(m, w[2]);
  let high = m * w[0] + mul_high(m, w[1]) + select(0u, 1u, low < middle);
  var q = high >> 30u;
  var a = (high << 2u) | (low >> 30u); // the fraction of a quarter
  var b = (low << 2u) | ((m * w[2]) >> 30u);
  let above = a >= 0x80000000u;
  if (above) { a = ~a; b = ~b; q += 1u; }
  let r = (f32(a) * 0x1p-32f + f32(b) * 0x1p-64f) * 1.57079632679;
  let negative = above != (x < 0.0);
  return vec2<f32>(select(r, -r, negative), select(f32(q), -f32(q), x < 0.0));
}
fn sin_reduced(r: f32) -> f32 {
  let z = r * r;
  var p = 0x1.6cbecep-19f;
  p = p * z - 0x1.a00f32p-13f;
  p = p * z + 0x1.111108p-7f;
  p = p * z - 0x1.555556p-3f;
  return (p * z) * r + r;
}
fn cos_reduced(r: f32) -> f32 {
  let z = r * r;
  var p = -0x1.240b04p-22f;
  p = p * z + 0x1.a0107ep-16f;
  p = p * z - 0x1.6c16b8p-10f;
  p = p * z + 0x1.555556p-5f;
  return (p * z) * z + (1.0 - 0.5 * z);
}
fn circle(x: f32, turn: i32) -> f32 {
  if (!isfinite_f(x)) { return nan(); }
  var rq = reduce_f(x);
  if (abs(x) > 131072.0) { rq = reduce_far(x); }
  let q = i32(rq.y) + turn;
  let v = select(sin_reduced(rq.x), cos_reduced(rq.x), (q & 1) != 0);
  return select(v, -v, (q & 2) != 0);
}
fn sin_f(x: f32) -> f32 { return select(circle(x, 0), x, x == 0.0); }
fn cos_f(x: f32) -> f32 { return circle(x, 1); }
fn tan_f(x: f32) -> f32 { return select(circle(x, 0) / circle(x, 1), x, x == 0.0); }
// atan of numbers in [0, 1]: a step to tan(pi/8), then a series
fn atan_unit(x: f32) -> f32 {
  let far = x > 0.41421356;
  let y = select(x, (x - 1.0) / (x + 1.0), far);
  let z = y * y;
  let p = ((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1;
  let v = p * z * y + y;
  return select(v, v + 0.78539816339, far);
}
fn atan_f(x: f32) -> f32 {
  if (isnan_f(x) || x == 0.0) { return x; }
  let a = abs_f(x);
  if (isinf_f(a)) { return copysign_f(1.57079632679, x); }
  let v = select(atan_unit(min(a, 1.0)), 1.57079632679 - atan_unit(1.0 / max(a, 1.0)), a > 1.0);
  return copysign_f(v, x);
}
fn atan2_f(y: f32, x: f32) -> f32 {
  if (isnan_f(x) || isnan_f(y)) { return nan(); }
  let a = abs_f(x);
  let b = abs_f(y);
  var v = 0.0;
  if (isinf_f(a) && isinf_f(b)) { v = 0.78539816339; }
  else if (b == 0.0) { v = 0.0; }
  else if (a == 0.0 || isinf_f(b)) { v = 1.57079632679; }
  else if (isinf_f(a)) { v = 0.0; }
  else { v = atan_f(div_f(b, a)); }
  if (signbit_f(x)) { v = 3.14159265359 - v; }
  return copysign_f(v, y);
}
fn asin_f(x: f32) -> f32 {
  if (isnan_f(x) || abs(x) > 1.0) { return nan(); }
  let a = abs_f(x);
  let far = a > 0.5;
  let z = select(a * a, 0.5 * (1.0 - a), far);
  let s = select(a, sqrt(z), far);
  let p = (((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z + 7.4953002686e-2) * z + 1.6666752422e-1;
  let v = p * z * s + s;
  return copysign_f(select(v, 1.57079632679 - 2.0 * v, far), x);
}
fn acos_f(x: f32) -> f32 {
  if (isnan_f(x) || abs(x) > 1.0) { return nan(); }
  if (x > 0.5) { return 2.0 * asin_f(sqrt(0.5 * (1.0 - x))); }
  if (x < -0.5) { return 3.14159265359 - 2.0 * asin_f(sqrt(0.5 * (1.0 + x))); }
  return 1.57079632679 - asin_f(x);
}

// ---- of several

fn logaddexp_f(x: f32, y: f32) -> f32 {
  if (x == y && isinf_f(x)) { return x; }
  return max_f(x, y) + log1p_f(exp_f(-abs_f(x - y)));
}
fn logaddexp2_f(x: f32, y: f32) -> f32 {
  if (x == y && isinf_f(x)) { return x; }
  return max_f(x, y) + log1p_f(exp2_f(-abs_f(x - y))) * 1.44269504;
}
fn xlogy_f(x: f32, y: f32) -> f32 {
  if (isnan_f(y)) { return y; }
  if (x == 0.0) { return 0.0; }
  return x * log_f(y);
}
fn xlog1py_f(x: f32, y: f32) -> f32 {
  if (isnan_f(y)) { return y; }
  if (x == 0.0) { return 0.0; }
  return x * log1p_f(y);
}
fn sinc_f(x: f32) -> f32 {
  if (x == 0.0) { return 1.0; }
  return sin_f(3.14159265359 * x) / (3.14159265359 * x);
}
fn angle_f(x: f32) -> f32 { return select(select(0.0, 3.14159265359, x < 0.0), x, isnan_f(x)); }
fn logsigmoid_f(x: f32) -> f32 { return min_f(x, 0.0) - log1p_f(exp_f(-abs_f(x))); }
fn lerp_f(x: f32, y: f32, w: f32) -> f32 { return select(y - (y - x) * (1.0 - w), x + w * (y - x), abs_f(w) < 0.5); }
fn gelu_tanh_derivative_f(x: f32) -> f32 {
  let z = x * x;
  let t = tanh_f(0.79788456080 * (x + 0.044715 * x * z));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * (0.79788456080 * (1.0 + 3.0 * 0.044715 * z));
}
fn mish_derivative_f(x: f32) -> f32 {
  let s = sigmoid_f(x);
  let t = tanh_f(log1p_f(exp_f(x)));
  return t + x * s * (1.0 - t * t);
}
fn softplus_f(x: f32, beta: f32, threshold: f32) -> f32 {
  let z = x * beta;
  return select(log1p_f(exp_f(z)) / beta, x, z > threshold);
}
fn entr_f(x: f32) -> f32 {
  if (isnan_f(x)) { return x; }
  if (x > 0.0) { return -x * log_f(x); }
  return select(-inf(), 0.0, x == 0.0);
}
fn nextafter_f(x: f32, y: f32) -> f32 {
  if (isnan_f(x) || isnan_f(y)) { return nan(); }
  if (x == y) { return y; }
  if (x == 0.0) { return bitcast<f32>((bits(y) & 0x80000000u) | 1u); }
  return bitcast<f32>(select(bits(x) - 1u, bits(x) + 1u, (y > x) == (x > 0.0)));
}
fn frexp_exponent_f(x: f32) -> f32 {
  if (x == 0.0 || !isfinite_f(x)) { return 0.0; }
  let tiny = (bits(x) & 0x7f800000u) == 0u;
  let y = select(bits(x), bits(f32(bits(x) & 0x7fffffu)), tiny);
  return f32(i32((y >> 23u) & 0xffu) - 126 - select(0, 149, tiny));
}
fn frexp_mantissa_f(x: f32) -> f32 {
  if (x == 0.0 || !isfinite_f(x)) { return x; }
  let tiny = (bits(x) & 0x7f800000u) == 0u;
  let y = select(bits(x), bits(f32(bits(x) & 0x7fffffu)), tiny);
  return bitcast<f32>((y & 0x7fffffu) | 0x3f000000u | (bits(x) & 0x80000000u));
}
fn erfinv_f(y: f32) -> f32 {
  let a = abs_f(y);
  if (isnan_f(y) || a > 1.0) { return nan(); }
  if (a == 1.0) { return copysign_f(inf(), y); }
  if (a < 1e-4) { return y * 0.88622692545; }
  let w = -log_f((1.0 - a) * (1.0 + a));
  let l = 4.3307467508 - 0.5 * w;
  var x = sqrt(max(sqrt(l * l + w / 0.147) - l, 0.0));
  for (var step = 0; step < 3; step++) {
    let e = select(a - erf_f(x), erfc_f(x) - (1.0 - a), a > 0.7);
    let f = e * 0.88622692545 * exp_f(x * x);
    x = x + f / (1.0 + x * f);
  }
  return copysign_f(x, y);
}
fn digamma_f(v: f32) -> f32 {
  if (isnan_f(v)) { return v; }
  if (v == 0.0) { return copysign_f(inf(), -v); }
  var x = v;
  var result = 0.0;
  if (x < 0.0) {
    let fraction = x - trunc(x);
    if (fraction == 0.0) { return nan(); }
    result = -3.14159265359 / tan_f(3.14159265359 * (fraction - round(fraction)));
    x = 1.0 - x;
  }
  for (var k = 0; k < 10 && x < 10.0; k++) {
    result = result - 1.0 / x;
    x = x + 1.0;
  }
  let z = 1.0 / (x * x);
  return result + log_f(x) - 0.5 / x - z * (1.0 / 12.0 - z * (1.0 / 120.0 - z * (1.0 / 252.0 - z / 240.0)));
}
fn trigamma_f(v: f32) -> f32 {
  var x = v;
  var result = 0.0;
  var sign_ = 1.0;
  if (x < 0.5) {
    sign_ = -1.0;
    let s = sin_f(3.14159265359 * (x - round(x)));
    result = -9.86960440109 / (s * s);
    x = 1.0 - x;
  }
  for (var k = 0; k < 12 && x < 12.0; k++) {
    result = result + 1.0 / (x * x);
    x = x + 1.0;
  }
  let z = 1.0 / (x * x);
  result = result + (1.0 + 1.0 / (2.0 * x) + z * (1.0 / 6.0 - z * (1.0 / 30.0 - z * (1.0 / 42.0 - z / 30.0)))) / x;
  return sign_ * result;
}
// Stirling's series past 7; below by the recurrence, negative numbers by reflection.
fn lgamma_positive(v: f32) -> f32 {
  if (v == 1.0 || v == 2.0) { return 0.0; }
  var x = v;
  var product = 1.0;
  for (var k = 0; k < 8 && x < 7.0; k++) {
    product = product * x;
    x = x + 1.0;
  }
  let z = 1.0 / (x * x);
  let series = (1.0 / 12.0 - z * (1.0 / 360.0 - z * (1.0 / 1260.0))) / x;
  return (x - 0.5) * log_f(x) - x + 0.91893853320 + series - log_f(product);
}
fn lgamma_f(x: f32) -> f32 {
  if (isnan_f(x)) { return x; }
  if (isinf_f(x)) { return inf(); }
  if (x <= 0.0 && floor(x) == x) { return inf(); }
  if (x > 0.0) { return lgamma_positive(x); }
  let s = abs(sin_f(3.14159265359 * (x - round(x))));
  return log_f(3.14159265359 / s) - lgamma_positive(1.0 - x);
}

// ---- special functions, as engine/cpu/special has them

// exp(-x) I_n(x) for n of 0 or 1 and x >= 0
fn scaled_i(n: f32, x: f32) -> f32 {
  if (isnan_f(x)) { return x; }
  if (isinf_f(x)) { return 0.0; }
  if (x <= 20.0) { // terms are positive: nothing cancels
    let q = 0.25 * x * x;
    var term = select(1.0, 0.5 * x, n > 0.5);
    var sum = term;
    for (var k = 1.0; k < 80.0 && term > 1e-9 * sum; k += 1.0) {
      term = term * (q / (k * (k + n)));
      sum = sum + term;
    }
    return exp_f(-x) * sum;
  }
  var term = 1.0;
  var sum = 1.0;
  for (var k = 1.0; k < 20.0; k += 1.0) {
    let odd = 2.0 * k - 1.0;
    term = term * (-(4.0 * n * n - odd * odd) / (8.0 * k * x));
    sum = sum + term;
  }
  return sum * (0.39894228040 / sqrt(x));
}
fn i0e_f(x: f32) -> f32 { return scaled_i(0.0, abs_f(x)); }
fn i1e_f(x: f32) -> f32 { return select(copysign_f(scaled_i(1.0, abs_f(x)), x), x, x == 0.0 || isnan_f(x)); }
fn i0_f(x: f32) -> f32 { return i0e_f(x) * exp_f(abs_f(x)); }
fn i1_f(x: f32) -> f32 { return select(i1e_f(x) * exp_f(abs_f(x)), x, x == 0.0); }
// exp(x) K_v(x) for x >= 1: the trapezoidal rule over exp(-x (cosh t - 1)) cosh(v t)
fn scaled_k_integral(v: f32, x: f32) -> f32 {
  if (x > 1e8) { return 1.25331413732 / sqrt(x); }
  let most = acosh_f(1.0 + 20.0 / x);
  let h = most / 32.0;
  var sum = 0.5;
  for (var k = 1.0; k <= 32.0; k += 1.0) {
    let t = k * h;
    let s = sinh_f(0.5 * t);
    sum = sum + exp_f(-2.0 * x * s * s) * cosh_f(v * t);
  }
  return sum * h;
}
fn k0_series(x: f32) -> f32 {
  let q = 0.25 * x * x;
  var term = 1.0;
  var harmonic = 0.0;
  var sum = 0.0;
  var i0 = 1.0;
  for (var k = 1.0; k < 20.0; k += 1.0) {
    term = term * (q / (k * k));
    harmonic = harmonic + 1.0 / k;
    sum = sum + term * harmonic;
    i0 = i0 + term;
  }
  return sum - (log_f(0.5 * x) + 0.57721566490) * i0;
}
fn k1_series(x: f32) -> f32 {
  let q = 0.25 * x * x;
  var term = 1.0;
  var psi = 1.0 - 2.0 * 0.57721566490;
  var sum = psi;
  var i1 = 1.0;
  for (var k = 1.0; k < 20.0; k += 1.0) {
    term = term * (q / (k * (k + 1.0)));
    psi = psi + 1.0 / k + 1.0 / (k + 1.0);
    sum = sum + term * psi;
    i1 = i1 + term;
  }
  return 1.0 / x + 0.5 * x * (log_f(0.5 * x) * i1 - 0.5 * sum);
}
fn scaled_k(n: f32, x: f32, scaled: bool) -> f32 {
  if (isnan_f(x)) { return x; }
  if (x == 0.0) { return inf(); }
  if (x < 0.0) { return nan(); }
  if (isinf_f(x)) { return 0.0; }
  if (x < 1.0) {
    var v = 0.0;
    if (n > 0.5) { v = k1_series(x); } else { v = k0_series(x); }
    return v * select(1.0, exp_f(x), scaled);
  }
  let part = select(exp_f(-0.5 * x), 1.0, scaled);
  return scaled_k_integral(n, x) * part * part;
}
fn k0_f(x: f32) -> f32 { return scaled_k(0.0, x, false); }
fn k1_f(x: f32) -> f32 { return scaled_k(1.0, x, false); }
fn k0e_f(x: f32) -> f32 { return scaled_k(0.0, x, true); }
fn k1e_f(x: f32) -> f32 { return scaled_k(1.0, x, true); }
fn spherical_j0_f(x: f32) -> f32 {
  if (isinf_f(x)) { return 0.0; }
  if (abs(x) < 0.5) {
    let q = x * x;
    return 1.0 + q * (-1.0 / 6.0 + q * (1.0 / 120.0 + q * (-1.0 / 5040.0 + q * (1.0 / 362880.0 - q / 39916800.0))));
  }
  return sin_f(x) / x;
}
fn erfcx_f(x: f32) -> f32 {
  if (isnan_f(x)) { return x; }
  if (x < -9.4) { return inf(); }
  if (x > 12.0) {
    let q = -0.5 / x / x;
    var term = 1.0;
    var sum = 1.0;
    for (var k = 1.0; k < 8.0; k += 1.0) {
      term = term * (2.0 * k - 1.0) * q;
      sum = sum + term;
    }
    return sum / (x * 1.77245385091);
  }
  if (x >= 1.0) { return erfc_scaled(x); }
  let s = two_product(x, x);
  return exp_f(s.x) * (1.0 + s.y) * erfc_f(x);
}
fn ndtr_f(x: f32) -> f32 { return 0.5 * erfc_f(-x * 0.70710678119); }
fn log_ndtr_f(x: f32) -> f32 {
  let t = x * 0.70710678119;
  if (x < -1.0) { return log_f(0.5 * erfcx_f(-t)) - t * t; }
  return log1p_f(-0.5 * erfc_f(t));
}
fn ndtri_f(p: f32) -> f32 {
  if (p == 0.0) { return -inf(); }
  if (p == 1.0) { return inf(); }
  if (isnan_f(p) || p < 0.0 || p > 1.0) { return nan(); }
  if (p == 0.5) { return 0.0; }
  let upper = p > 0.5;
  let goal = log_f(select(p, 1.0 - p, upper));
  var x = -sqrt(-2.0 * goal);
  for (var k = 0; k < 24; k++) {
    let value = log_ndtr_f(x);
    let slope = exp_f(-0.5 * x * x - value) / 2.50662827463;
    let d = (goal - value) / slope;
    x = x + d;
    if (abs(d) <= 1e-7 * abs(x)) { break; }
  }
  return select(x, -x, upper);
}

// Polynomials: the degree cut to an integer, negative ones give 0. p and q: degrees 0 and 1 of the recurrence.
fn whole_degree(n: f32) -> i32 { return select(i32(clamp(trunc(n), -1.0, 1048576.0)), -1, isnan_f(n)); }
fn chebyshev(x: f32, first: f32, degree: i32) -> f32 {
  if (degree < 0) { return 0.0; }
  if (degree == 0) { return 1.0; }
  var p = 1.0;
  var q = first;
  for (var k = 1; k < degree; k++) {
    let next = (x + x) * q - p;
    p = q;
    q = next;
  }
  return q;
}
fn chebyshev_t_f(x: f32, n: f32) -> f32 { return chebyshev(x, x, whole_degree(n)); }
fn chebyshev_u_f(x: f32, n: f32) -> f32 { return chebyshev(x, x + x, whole_degree(n)); }
fn chebyshev_v_f(x: f32, n: f32) -> f32 { return chebyshev(x, x + x - 1.0, whole_degree(n)); }
fn chebyshev_w_f(x: f32, n: f32) -> f32 { return chebyshev(x, x + x + 1.0, whole_degree(n)); }
fn shifted_chebyshev_t_f(x: f32, n: f32) -> f32 { return chebyshev_t_f(x + x - 1.0, n); }
fn shifted_chebyshev_u_f(x: f32, n: f32) -> f32 { return chebyshev_u_f(x + x - 1.0, n); }
fn shifted_chebyshev_v_f(x: f32, n: f32) -> f32 { return chebyshev_v_f(x + x - 1.0, n); }
fn shifted_chebyshev_w_f(x: f32, n: f32) -> f32 { return chebyshev_w_f(x + x - 1.0, n); }
fn hermite(x: f32, first: f32, scale: f32, degree: i32) -> f32 {
  if (degree < 0) { return 0.0; }
  if (degree > 128) { return nan(); }
  if (degree == 0) { return 1.0; }
  var p = 1.0;
  var q = first;
  for (var k = 1; k < degree; k++) {
    let next = first * q - scale * f32(k) * p;
    p = q;
    q = next;
  }
  return q;
}
fn hermite_h_f(x: f32, n: f32) -> f32 { return hermite(x, x + x, 2.0, whole_degree(n)); }
fn hermite_he_f(x: f32, n: f32) -> f32 { return hermite(x, x, 1.0, whole_degree(n)); }
fn laguerre_l_f(x: f32, n: f32) -> f32 {
  let degree = whole_degree(n);
  if (degree < 0) { return 0.0; }
  if (degree == 0 || x == 0.0) { return 1.0; }
  var p = 1.0;
  var q = 1.0 - x;
  for (var k = 1; k < degree; k++) {
    let f = f32(k);
    let next = ((f + f + (1.0 - x)) * q - f * p) / (f + 1.0);
    p = q;
    q = next;
  }
  return q;
}
fn legendre_p_f(x: f32, n: f32) -> f32 {
  let degree = whole_degree(n);
  if (degree < 0) { return 0.0; }
  if (degree == 0) { return 1.0; }
  if (abs(x) == 1.0) { return select(select(-1.0, 1.0, degree % 2 == 0), 1.0, x > 0.0); }
  var p = 1.0;
  var q = x;
  for (var k = 1; k < degree; k++) {
    let f = f32(k);
    let next = ((f + f + 1.0) * x * q - f * p) / (f + 1.0);
    p = q;
    q = next;
  }
  return q;
}

// ---- zeta, polygamma (engine/cpu/special/gamma.c)

fn zeta_f(x: f32, q: f32) -> f32 {
  if (x == 1.0) { return inf(); }
  if (x < 1.0) { return nan(); }
  if (q <= 0.0) {
    if (q == floor(q)) { return inf(); }
    if (x != floor(x)) { return nan(); }
  }
  if (isnan_f(x) || isnan_f(q)) { return nan(); }
  var sum = 0.0;
  var at = q;
  var term = 0.0;
  for (var k = 0; k < 64 && (k < 8 || at <= 8.0); k++) {
    if (k > 0) { at = at + 1.0; }
    term = pow_f(at, -x);
    sum = sum + term;
    if (k > 0 && abs(term) < 1e-9 * abs(sum)) { return sum; }
  }
  if (at <= 8.0) { // from far below zero
    for (var k = 0; k < 1048576 && at <= 8.0; k++) {
      at = at + 1.0;
      term = pow_f(at, -x);
      sum = sum + term;
    }
  }
  sum = sum + (term * at / (x - 1.0) - 0.5 * term);
  var factor = x;
  var power = term / at;
  sum = sum + factor * power / 12.0;
  factor = factor * (x + 1.0) * (x + 2.0);
  power = power / (at * at);
  sum = sum - factor * power / 720.0;
  factor = factor * (x + 3.0) * (x + 4.0);
  power = power / (at * at);
  sum = sum + factor * power / 30240.0;
  factor = factor * (x + 5.0) * (x + 6.0);
  power = power / (at * at);
  return sum - factor * power / 1209600.0;
}
fn polygamma_f(n: f32, x: f32) -> f32 {
  if (n == 0.0) { return digamma_f(x); }
  if (n == 1.0) { return trigamma_f(x); }
  var factorial = 1.0;
  for (var k = 2.0; k <= n && k < 40.0; k += 1.0) { factorial = factorial * k; }
  if (n > 34.0) { factorial = inf(); }
  let odd = floor(n * 0.5) * 2.0 != n;
  return select(-factorial, factorial, odd) * zeta_f(n + 1.0, x);
}

// ---- incomplete gamma functions

fn log1p_less(u: f32) -> f32 { // log(1 + u) - u
  if (abs(u) > 0.1) { return log1p_f(u) - u; }
  var power = u;
  var sum = 0.0;
  for (var k = 2.0; k < 10.0; k += 1.0) {
    power = -power * u;
    sum = sum + power / k;
  }
  return sum;
}
// x^a exp(-x) / gamma(a)
fn gamma_prefactor(a: f32, x: f32) -> f32 {
  if (a >= 10.0) {
    let q = 1.0 / (a * a);
    let stirling = (1.0 / 12.0 - q * (1.0 / 360.0 - q / 1260.0)) / a;
    return sqrt_f(a / 6.28318530718) * exp_f(a * log1p_less((x - a) / a) - stirling);
  }
  return pow_f(x, a) * exp_f(-x) * exp_f(-lgamma_f(a));
}
fn gamma_lower_series(a: f32, x: f32) -> f32 {
  var term = 1.0 / a;
  var sum = term;
  for (var k = 1.0; k < 4096.0 && term > 1e-9 * sum; k += 1.0) {
    term = term * (x / (a + k));
    sum = sum + term;
  }
  return gamma_prefactor(a, x) * sum;
}
fn gamma_upper_fraction(a: f32, x: f32) -> f32 {
  var b = x + 1.0 - a;
  var c = 1e30;
  var d = 1.0 / select(b, 1e-30, b == 0.0);
  var h = d;
  for (var k = 1.0; k < 4096.0; k += 1.0) {
    let an = -k * (k - a);
    b = b + 2.0;
    d = an * d + b;
    if (abs(d) < 1e-30) { d = 1e-30; }
    c = b + an / c;
    if (abs(c) < 1e-30) { c = 1e-30; }
    d = 1.0 / d;
    let factor = d * c;
    h = h * factor;
    if (abs(factor - 1.0) < 6e-8) { break; }
  }
  return gamma_prefactor(a, x) * h;
}
// For large a near x: the normal distribution and the first correction.
fn gamma_uniform(a: f32, x: f32, upper: bool) -> f32 {
  let u = (x - a) / a;
  let half_square = -log1p_less(u);
  let eta = copysign_f(sqrt_f(2.0 * half_square), u);
  let correction = select(1.0 / u - 1.0 / eta, -1.0 / 3.0 + u / 12.0, abs(u) < 0.02);
  let rest = exp_f(-a * half_square) / sqrt_f(6.28318530718 * a) * correction;
  return select(0.5 * erfc_f(-eta * sqrt_f(0.5 * a)) - rest, 0.5 * erfc_f(eta * sqrt_f(0.5 * a)) + rest, upper);
}
fn gamma_incomplete(a: f32, x: f32, upper: bool) -> f32 {
  if (a < 0.0 || x < 0.0) { return nan(); }
  if (a == 0.0) { return select(nan(), select(1.0, 0.0, upper), x > 0.0); }
  if (x == 0.0) { return select(0.0, 1.0, upper); }
  if (isinf_f(a)) { return select(select(0.0, 1.0, upper), nan(), isinf_f(x)); }
  if (isinf_f(x)) { return select(1.0, 0.0, upper); }
  if (isnan_f(a) || isnan_f(x)) { return nan(); }
  if (a > 1000.0 && abs(x - a) < 0.3 * a) { return gamma_uniform(a, x, upper); }
  if (x <= 1.1 || x <= a) {
    let p = gamma_lower_series(a, x);
    if (!upper) { return p; }
    if (p < 0.9 || x > 1.1) { return 1.0 - p; }
    var term = 1.0;
    var sum = 0.0;
    for (var k = 1.0; k < 40.0; k += 1.0) {
      term = term * (-x / k);
      sum = sum + term / (a + k);
    }
    let exponent = a * log_f(x) - lgamma_f(a + 1.0);
    return -expm1_f(exponent) - exp_f(exponent) * a * sum;
  }
  let q = gamma_upper_fraction(a, x);
  return select(1.0 - q, q, upper);
}
fn gammainc_f(a: f32, x: f32) -> f32 { return gamma_incomplete(a, x, false); }
fn gammaincc_f(a: f32, x: f32) -> f32 { return gamma_incomplete(a, x, true); }

// ---- Bessel's J and Y: for small x by Neumann's series over J_n, which Miller's recurrence gives from above (DLMF 3.6, 10.8.2, 10.23); else Hankel's
// expansion

fn hankel(n: f32, x: f32, phase: f32, second: bool) -> f32 {
  var term = 1.0;
  var p = 1.0;
  var q = 0.0;
  var least = 1.0;
  for (var k = 1; k < 30; k++) {
    let f = f32(k);
    term = term * ((4.0 * n * n - (2.0 * f - 1.0) * (2.0 * f - 1.0)) / (8.0 * f * x));
    if (abs(term) > least || abs(term) < 1e-9) { break; }
    least = abs(term);
    let signed_ = select(term, -term, (k & 2) != 0);
    if ((k & 1) != 0) { q = q + signed_; } else { p = p + signed_; }
  }
  let s = sin_f(phase);
  let c = cos_f(phase);
  return select(p * c - q * s, p * s + q * c, second) * sqrt_f(0.63661977237 / x);
}
// J0, J1, Y0, Y1 for 0 < x <= 8
fn bessel_small(x: f32) -> vec4<f32> {
  let logarithm = log_f(0.5 * x) + 0.57721566490;
  if (x < 1e-3) {
    return vec4<f32>(1.0 - 0.25 * x * x, 0.5 * x, 0.63661977237 * logarithm, -0.63661977237 / x + 0.31830988618 * x * (logarithm - 0.5));
  }
  var above = 0.0;
  var here = 1e-30;
  var total = 0.0; // J0 + 2 (J2 + J4 + ...)
  var s0 = 0.0;
  var s1 = 0.0;
  var j1 = 0.0;
  for (var n = 26; n >= 1; n--) {
    if ((n & 1) == 0) {
      total = total + 2.0 * here;
      s0 = s0 + select(here, -here, (n & 2) != 0) / f32(n / 2);
    } else if (n >= 3) {
      let k = f32((n - 1) / 2);
      s1 = s1 + select(here, -here, ((n - 1) & 2) != 0) * ((2.0 * k + 1.0) / (k * (k + 1.0)));
    } else { j1 = here; }
    let below = 2.0 * f32(n) / x * here - above;
    above = here;
    here = below;
    if (abs(here) > 1e15) {
      here = here * 1e-20;
      above = above * 1e-20;
      total = total * 1e-20;
      s0 = s0 * 1e-20;
      s1 = s1 * 1e-20;
      j1 = j1 * 1e-20;
    }
  }
  total = total + here;
  let a = here / total;
  let b = j1 / total;
  return vec4<f32>(a, b, 0.63661977237 * logarithm * a - 1.27323954474 * s0 / total,
    -0.63661977237 / x * a + 0.63661977237 * (logarithm - 1.0) * b - 0.63661977237 * s1 / total);
}
fn bessel_j0_f(v: f32) -> f32 {
  let x = abs_f(v);
  if (isnan_f(x) || isinf_f(x)) { return nan(); }
  if (x == 0.0) { return 1.0; }
  if (x > 8.0) { return hankel(0.0, x, x - 0.78539816340, false); }
  return bessel_small(x).x;
}
fn bessel_j1_f(v: f32) -> f32 {
  let x = abs_f(v);
  if (isnan_f(x) || isinf_f(x)) { return nan(); }
  if (x == 0.0) { return v; }
  var value = 0.0;
  if (x > 8.0) { value = hankel(1.0, x, x - 2.35619449019, false); } else { value = bessel_small(x).y; }
  return select(value, -value, v < 0.0);
}
fn bessel_y0_f(x: f32) -> f32 {
  if (isnan_f(x) || isinf_f(x) || x < 0.0) { return nan(); }
  if (x == 0.0) { return -inf(); }
  if (x > 8.0) { return hankel(0.0, x, x - 0.78539816340, true); }
  return bessel_small(x).z;
}
fn bessel_y1_f(x: f32) -> f32 {
  if (isnan_f(x) || isinf_f(x) || x < 0.0) { return nan(); }
  if (x == 0.0) { return -inf(); }
  if (x > 8.0) { return hankel(1.0, x, x - 2.35619449019, true); }
  return bessel_small(x).w;
}

// ---- Airy's Ai

// The real part of exp(i zeta) K_1/3(i zeta) turned by exp(i (pi / 2 - zeta)), along the path of steepest descent (engine/cpu/special/bessel.c)
fn airy_oscillating(zeta: f32) -> f32 {
  let most = asinh_f(25.0 / zeta) + 0.3;
  let h = most / 40.0;
  var re = 0.0;
  var im = 0.0;
  for (var k = -40; k <= 40; k++) {
    let u = f32(k) * h;
    let th = tanh_f(u);
    let a = sinh_f(0.5 * u) * cos_f(0.5 * th);
    let b = -cosh_f(0.5 * u) * sin_f(0.5 * th);
    // -2 i zeta (a + i b)^2 + (u - i th) / 3
    let er = 4.0 * zeta * a * b + u / 3.0;
    let ei = -2.0 * zeta * (a * a - b * b) - th / 3.0;
    let size = exp_f(er);
    let x = size * cos_f(ei);
    let y = size * sin_f(ei);
    let w = th * th - 1.0;
    re = re + x - y * w;
    im = im + y + x * w;
  }
  let angle = 1.57079632679 - zeta;
  return 0.5 * h * (re * cos_f(angle) - im * sin_f(angle));
}
fn airy_ai_f(x: f32) -> f32 {
  if (isnan_f(x) || isinf_f(x)) { return nan(); }
  if (x > 103.892) { return 0.0; }
  if (abs(x) < 1.5) {
    var f = 1.0;
    var g = x;
    var term_f = 1.0;
    var term_g = x;
    let cube = x * x * x;
    for (var k = 1.0; k < 12.0; k += 1.0) {
      term_f = term_f * (cube / (3.0 * k * (3.0 * k - 1.0)));
      term_g = term_g * (cube / (3.0 * k * (3.0 * k + 1.0)));
      f = f + term_f;
      g = g + term_g;
    }
    return 0.35502805389 * f - 0.25881940379 * g;
  }
  let root = sqrt_f(abs(x));
  let zeta = 2.0 * abs(x) * root / 3.0;
  if (x > 0.0) { return 0.31830988618 * sqrt_f(x / 3.0) * exp_f(-zeta) * scaled_k_integral(0.33333333333, zeta); }
  if (zeta > 8.0) {
    var term = 1.0;
    var p = 1.0;
    var q = 0.0;
    var least = 1.0;
    for (var k = 1; k < 30; k++) {
      let f = f32(k);
      term = term * ((6.0 * f - 5.0) * (6.0 * f - 3.0) * (6.0 * f - 1.0) / (216.0 * f * (2.0 * f - 1.0) * zeta));
      if (abs(term) > least || abs(term) < 1e-9) { break; }
      least = abs(term);
      let signed_ = select(term, -term, (k & 2) != 0);
      if ((k & 1) != 0) { q = q + signed_; } else { p = p + signed_; }
    }
    let angle = zeta + 0.78539816340;
    return (sin_f(angle) * p - cos_f(angle) * q) / sqrt_f(3.14159265359 * root);
  }
  return 0.63661977237 * sqrt_f(-x / 3.0) * airy_oscillating(zeta);
}

// ---- Philox4x32-10

fn mul_high(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let low = al * bl;
  let m = ah * bl + (low >> 16u);
  let n = al * bh + (m & 0xffffu);
  return ah * bh + (m >> 16u) + (n >> 16u);
}
fn philox(key: vec2<u32>, counter: vec4<u32>) -> vec4<u32> {
  var k = key;
  var c = counter;
  for (var round_ = 0; round_ < 10; round_++) {
    let high0 = mul_high(0xd2511f53u, c.x);
    let high1 = mul_high(0xcd9e8d57u, c.z);
    c = vec4<u32>(high1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, high0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k = k + vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// ---- complex numbers

fn mul_c(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> { return vec2<f32>(x.x * y.x - x.y * y.y, x.x * y.y + x.y * y.x); }
// Smith's rule
fn div_c(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> {
  if (abs_f(y.x) >= abs_f(y.y)) {
    if (y.x == 0.0 && y.y == 0.0) { return vec2<f32>(x.x, x.y) / abs_f(y.x); }
    let ratio = div_f(y.y, y.x);
    let d = y.x + y.y * ratio;
    return vec2<f32>(div_f(x.x + x.y * ratio, d), div_f(x.y - x.x * ratio, d));
  }
  let ratio = div_f(y.x, y.y);
  let d = y.x * ratio + y.y;
  return vec2<f32>(div_f(x.x * ratio + x.y, d), div_f(x.y * ratio - x.x, d));
}
fn eq_c(x: vec2<f32>, y: vec2<f32>) -> bool { return !ne_c(x, y); }
fn ne_c(x: vec2<f32>, y: vec2<f32>) -> bool { return ne_f(x.x, y.x) || ne_f(x.y, y.y); }
fn abs_c(x: vec2<f32>) -> f32 { return hypot_f(x.x, x.y); }
fn angle_c(x: vec2<f32>) -> f32 { return atan2_f(x.y, x.x); }
fn conj_c(x: vec2<f32>) -> vec2<f32> { return vec2<f32>(x.x, -x.y); }
fn sgn_c(x: vec2<f32>) -> vec2<f32> {
  let r = abs_c(x);
  if (r == 0.0) { return vec2<f32>(); }
  return vec2<f32>(div_f(x.x, r), div_f(x.y, r));
}
fn isnan_c(x: vec2<f32>) -> bool { return isnan_f(x.x) || isnan_f(x.y); }
fn isinf_c(x: vec2<f32>) -> bool { return isinf_f(x.x) || isinf_f(x.y); }
fn isfinite_c(x: vec2<f32>) -> bool { return isfinite_f(x.x) && isfinite_f(x.y); }
// i x and -i x: how functions of circles and of hyperbolas become each other
fn turn_c(x: vec2<f32>) -> vec2<f32> { return vec2<f32>(-x.y, x.x); }
fn back_c(x: vec2<f32>) -> vec2<f32> { return vec2<f32>(x.y, -x.x); }
fn exp_c(x: vec2<f32>) -> vec2<f32> {
  if (x.y == 0.0) { return vec2<f32>(exp_f(x.x), x.y); }
  if (isinf_f(x.x) && !isfinite_f(x.y)) { return select(vec2<f32>(inf(), nan()), vec2<f32>(), x.x < 0.0); }
  let c = vec2<f32>(cos_f(x.y), sin_f(x.y));
  if (x.x > 80.0) { return (c * exp_f(x.x * 0.5)) * exp_f(x.x * 0.5); }
  return exp_f(x.x) * c;
}
fn exp2_c(x: vec2<f32>) -> vec2<f32> { return exp_c(x * 0.69314718056); }
fn expm1_c(x: vec2<f32>) -> vec2<f32> {
  let s = sin_f(x.y * 0.5);
  return vec2<f32>(expm1_f(x.x) * cos_f(x.y) - 2.0 * s * s, exp_f(x.x) * sin_f(x.y));
}
// The logarithm of the absolute value; near 1 from the squares, with what their rounding leaves out.
fn log_c(x: vec2<f32>) -> vec2<f32> {
  let r = abs_c(x);
  var l = 0.0;
  if (r > 0.5 && r < 2.0) {
    let p = two_product(x.x, x.x);
    let q = two_product(x.y, x.y);
    let s = two_sum(max(p.x, q.x) - 1.0, min(p.x, q.x));
    l = 0.5 * log1p_f(s.x + (s.y + p.y + q.y));
  } else if (isinf_f(r)) {
    l = log_f(abs_c(x * 0.25)) + 1.38629436112;
  } else {
    l = log_f(r);
  }
  return vec2<f32>(l, angle_c(x));
}
fn log1p_c(x: vec2<f32>) -> vec2<f32> {
  if (abs_f(x.x) < 0.5 && abs_f(x.y) < 0.5) { return vec2<f32>(0.5 * log1p_f(x.x * (2.0 + x.x) + x.y * x.y), atan2_f(x.y, x.x + 1.0)); }
  return log_c(x + vec2<f32>(1.0, 0.0));
}
fn log2_c(x: vec2<f32>) -> vec2<f32> { return log_c(x) * 1.44269504089; }
fn log10_c(x: vec2<f32>) -> vec2<f32> { return log_c(x) * 0.43429448190; }
fn logaddexp_c(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> {
  if (isnan_c(x) || isnan_c(y)) { return vec2<f32>(nan(), nan()); }
  let first = x.x < y.x;
  let low = select(y, x, first);
  let high = select(x, y, first);
  if (low.x == high.x && !isfinite_f(low.x)) {
    if (low.x < 0.0) { return low; }
    return log1p_c(exp_c(low) + exp_c(high));
  }
  return high + log1p_c(exp_c(low - high));
}
fn sqrt_c(x: vec2<f32>) -> vec2<f32> {
  if (x.x == 0.0 && x.y == 0.0) { return vec2<f32>(0.0, x.y); }
  if (isinf_f(x.y)) { return vec2<f32>(inf(), x.y); }
  if (isinf_f(x.x)) {
    let rest = select(0.0, nan(), isnan_f(x.y));
    return select(vec2<f32>(inf(), copysign_f(rest, x.y)), vec2<f32>(rest, copysign_f(inf(), x.y)), x.x < 0.0);
  }
  let t = sqrt_f(0.5 * abs_f(x.x) + hypot_f(0.5 * x.x, 0.5 * x.y));
  let u = div_f(x.y, 2.0 * t);
  return select(vec2<f32>(t, u), vec2<f32>(abs_f(u), copysign_f(t, x.y)), signbit_f(x.x));
}
fn reciprocal_c(x: vec2<f32>) -> vec2<f32> { return div_c(vec2<f32>(1.0, 0.0), x); }
fn rsqrt_c(x: vec2<f32>) -> vec2<f32> { return reciprocal_c(sqrt_c(x)); }
fn sinh_c(x: vec2<f32>) -> vec2<f32> {
  if (x.y == 0.0) { return vec2<f32>(sinh_f(x.x), x.y); }
  if (x.x == 0.0) { return vec2<f32>(x.x, sin_f(x.y)); }
  if (isinf_f(x.x) && !isfinite_f(x.y)) { return vec2<f32>(x.x, nan()); }
  return vec2<f32>(sinh_f(x.x) * cos_f(x.y), cosh_f(x.x) * sin_f(x.y));
}
fn cosh_c(x: vec2<f32>) -> vec2<f32> {
  if (x.y == 0.0) { return vec2<f32>(cosh_f(x.x), copysign_f(1.0, x.x) * x.y); }
  if (x.x == 0.0) { return vec2<f32>(cos_f(x.y), x.x * select(sin_f(x.y), 1.0, !isfinite_f(x.y))); }
  if (isinf_f(x.x) && !isfinite_f(x.y)) { return vec2<f32>(inf(), nan()); }
  return vec2<f32>(cosh_f(x.x) * cos_f(x.y), sinh_f(x.x) * sin_f(x.y));
}
fn sin_c(x: vec2<f32>) -> vec2<f32> { return back_c(sinh_c(turn_c(x))); }
fn cos_c(x: vec2<f32>) -> vec2<f32> { return cosh_c(turn_c(x)); }
// By the tangent of the imaginary part (Kahan 1987).
fn tanh_c(x: vec2<f32>) -> vec2<f32> {
  if (x.y == 0.0) { return vec2<f32>(tanh_f(x.x), x.y); }
  if (abs_f(x.x) > 16.0) {
    let e = exp_f(-abs_f(x.x));
    return vec2<f32>(copysign_f(1.0, x.x), select(4.0 * (sin_f(x.y) * e) * (cos_f(x.y) * e), 0.0, isinf_f(x.x)));
  }
  let t = tan_f(x.y);
  let s = sinh_f(x.x);
  let b = 1.0 + t * t;
  let d = 1.0 + b * s * s;
  if (isinf_f(b)) { return vec2<f32>(div_f(cosh_f(x.x), s), div_f(1.0, t * s * s)); }
  return vec2<f32>(div_f(b * cosh_f(x.x) * s, d), div_f(t, d));
}
fn tan_c(x: vec2<f32>) -> vec2<f32> { return back_c(tanh_c(turn_c(x))); }
// Inverse functions by square roots of 1 - x and 1 + x (Kahan 1987); far from 0 by the logarithm.
fn far_c(x: vec2<f32>) -> bool { return max(abs_f(x.x), abs_f(x.y)) > 1e7; }
fn asin_c(x: vec2<f32>) -> vec2<f32> {
  if (far_c(x)) { return vec2<f32>(atan2_f(x.x, abs_f(x.y)), copysign_f(log_c(x).x + 0.69314718056, x.y)); }
  let a = sqrt_c(vec2<f32>(1.0 - x.x, -x.y));
  let b = sqrt_c(vec2<f32>(1.0 + x.x, x.y));
  return vec2<f32>(atan2_f(x.x, mul_c(a, b).x), copysign_f(asinh_f(mul_c(conj_c(a), b).y), x.y));
}
fn acos_c(x: vec2<f32>) -> vec2<f32> {
  if (far_c(x)) { return vec2<f32>(atan2_f(abs_f(x.y), x.x), copysign_f(log_c(x).x + 0.69314718056, -x.y)); }
  let a = sqrt_c(vec2<f32>(1.0 - x.x, -x.y));
  let b = sqrt_c(vec2<f32>(1.0 + x.x, x.y));
  return vec2<f32>(2.0 * atan2_f(a.x, b.x), copysign_f(asinh_f(mul_c(conj_c(b), a).y), -x.y));
}
fn asinh_c(x: vec2<f32>) -> vec2<f32> { return back_c(asin_c(turn_c(x))); }
fn acosh_c(x: vec2<f32>) -> vec2<f32> {
  let y = acos_c(x);
  return vec2<f32>(abs_f(y.y), copysign_f(y.x, x.y));
}
fn atanh_c(x: vec2<f32>) -> vec2<f32> {
  if (far_c(x)) {
    let h = abs_c(x);
    return vec2<f32>(select(x.x / h / h, copysign_f(0.0, x.x), isinf_f(h)), copysign_f(1.57079632679, x.y));
  }
  let a = 1.0 - abs_f(x.x);
  let re = copysign_f(0.25 * log1p_f(div_f(4.0 * abs_f(x.x), a * a + x.y * x.y)), x.x);
  return vec2<f32>(re, 0.5 * atan2_f(2.0 * x.y, a * (1.0 + abs_f(x.x)) - x.y * x.y));
}
fn atan_c(x: vec2<f32>) -> vec2<f32> { return back_c(atanh_c(turn_c(x))); }
fn sigmoid_c(x: vec2<f32>) -> vec2<f32> { return reciprocal_c(vec2<f32>(1.0, 0.0) + exp_c(-x)); }
fn sinc_c(x: vec2<f32>) -> vec2<f32> {
  if (!ne_c(x, vec2<f32>())) { return vec2<f32>(1.0, 0.0); }
  return div_c(sin_c(x * 3.14159265359), x * 3.14159265359);
}
fn pow_c(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> {
  if (y.x == 0.0 && y.y == 0.0) { return vec2<f32>(1.0, 0.0); }
  if (x.x == 0.0 && x.y == 0.0 && y.x > 0.0) { return vec2<f32>(); }
  return exp_c(mul_c(y, log_c(x)));
}
fn lerp_c(x: vec2<f32>, y: vec2<f32>, w: vec2<f32>) -> vec2<f32> {
  if (abs_c(w) < 0.5) { return x + mul_c(w, y - x); }
  return y - mul_c(y - x, vec2<f32>(1.0, 0.0) - w);
}
