"""Derives the constants of endomorphism.hpp and prints them as C++ (run by hand; the output is pasted there).

Both curves have j = 0, so (x, y) -> (beta x, y) with beta^3 = 1 in the base field is multiplication by some lambda
with lambda^3 = 1 in the scalar field. A scalar k is split as k = k1 + k2 lambda with |k1|, |k2| about 2^127 by
subtracting from (k, 0) a near vector of the lattice {(a, b): a + b lambda = 0 mod n} (Gallant, Lambert, Vanstone 2001).
"""

Q = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
R = 0x30644E72E131A029B85045B68181585D2833E84879B97091_43E1F593F0000001


def add(p, a, b):
    """The sum of two affine points over the field of p elements; None is infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % p == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, p)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, p)
    x = (slope * slope - a[0] - b[0]) % p
    return x, (slope * (a[0] - x) - a[1]) % p


def multiply(p, k, a):
    """The multiple k of an affine point."""
    r = None
    for bit in bin(k)[2:]:
        r = add(p, r, r)
        if bit == "1":
            r = add(p, r, a)
    return r


def cube_root_of_one(n):
    """A primitive cube root of one modulo n."""
    base = 2
    while (root := pow(base, (n - 1) // 3, n)) == 1:
        base += 1
    return root


def short_basis(n, lam):
    """Two short vectors (a, b) with a + b lam = 0 mod n, by Lagrange's reduction."""
    u, v = (n, 0), (-lam, 1)
    norm = lambda w: w[0] ** 2 + w[1] ** 2  # noqa: E731
    while True:
        if norm(u) < norm(v):
            u, v = v, u
        dot = u[0] * v[0] + u[1] * v[1]
        m = (2 * dot + norm(v)) // (2 * norm(v))
        if m == 0:
            return u, v
        u = (u[0] - m * v[0], u[1] - m * v[1])


def limbs(value, count=4):
    """A number as a C++ initialiser of 64-bit limbs."""
    assert 0 <= value < 2 ** (64 * count)
    return "U256{{" + ", ".join(hex(value >> 64 * i & (2**64 - 1)) for i in range(count)) + "}}"


def derive(name, p, n, generator):
    """Print the constants of one curve, having checked them."""
    beta = cube_root_of_one(p)
    lam = cube_root_of_one(n)
    if multiply(p, lam, generator) != (beta * generator[0] % p, generator[1]):
        lam = lam * lam % n
    assert multiply(p, lam, generator) == (beta * generator[0] % p, generator[1])
    (a1, b1), (a2, b2) = short_basis(n, lam)
    if a1 * b2 - a2 * b1 < 0:
        a2, b2 = -a2, -b2
    assert a1 * b2 - a2 * b1 == n
    # (k, 0) = (k b2 / n) v1 + (-k b1 / n) v2. c_i = floor(k g_i / 2^256) with g_i = round(2^256 |.| / n) is off by
    # less than 1.1: by less than n / 2^257 < 0.1 for the rounding of g_i, by less than 1 for the floor.
    rounded = lambda b: (2**257 * abs(b) + n) // (2 * n)  # noqa: E731
    bound = max(abs(a1) + abs(a2), abs(b1) + abs(b2)) * 1.1
    print(f"// {name}: |k1|, |k2| < {bound / 2**127:.3f} * 2^127")
    print(f"beta = {limbs(beta)}\nlambda = {limbs(lam)}")
    for label, value in (("g1", b2), ("g2", -b1)):
        print(f"{label} = {'-' if value < 0 else ''}{limbs(rounded(value))}")
    for label, value in (("a1", a1), ("b1", b1), ("a2", a2), ("b2", b2)):
        print(f"{label} = {'-' if value < 0 else ''}{limbs(abs(value))}")


derive("G1", Q, R, (1, 2))
derive("Grumpkin", R, Q, (1, 0x0000000000000002CF135E7506A45D632D270D45F1181294833FC48D823F272C))
