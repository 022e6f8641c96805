"""Bessel functions of the first and second kind, of order 0 and 1, modified ones, and the Airy function."""

import math

from jax import numpy as jnp
from jax.scipy import special

from jtorch import dtypes
from jtorch.ops.op import Array, op
from jtorch.series import chebyshev, in_double

# What is near 0 is a series in (x / 8)²; what is far, amplitude and phase as series in (8 / x)².
_J0_NEAR = (
    0.15772797147489012, -0.008723442352852221, 0.2651786132033368, -0.37009499387264977, 0.15806710233209725,
    -0.034893769411408884, 0.004819180069467605, -0.00046062616620627504, 3.246032882100508e-05,
    -1.7619469077621507e-06, 7.608163592418782e-08, -2.679253530557673e-09, 7.848696314479465e-11,
    -1.9438346867370164e-12, 4.125320595634374e-14, -7.588508125447546e-16, 1.2218515873961411e-17,
)  # fmt: skip
_J1_NEAR = (
    0.08104484632565812, -0.1489751450676521, 0.1609992623572097, -0.08268049176681791, 0.022213639654966037,
    -0.003646940600769276, 0.0004050337728354822, -3.255554866857259e-05, 1.9858774049915165e-06,
    -9.521984756750436e-08, 3.687133759097148e-09, -1.178026622695885e-10, 3.160154580348003e-12,
    -7.221755239651773e-14, 1.4232144003513942e-15, -2.4441972916190464e-17, 3.6912682997929334e-19,
)  # fmt: skip
_Y0_NEAR = (
    -0.03314611320328494, -0.2744743055297453, 0.17903431407718265, 0.26156734625504663, -0.17730201278114358,
    0.04719668959576339, -0.007287962479552079, 0.0007531135932577742, -5.632079141056987e-05, 3.206532537654801e-06,
    -1.44072332740187e-07, 5.248794787330516e-09, -1.5837552541812015e-10, 4.02633081830612e-12,
    -8.747341203310769e-14, 1.6434898714919468e-15, -2.6977881152566837e-17,
)  # fmt: skip
_Y1_NEAR = (
    0.0025380132357417816, -0.01608717304766875, -0.09591204536083074, 0.08445197259652346, -0.028328123944594365,
    0.005289897544167113, -0.0006414551451326356, 5.505982873338744e-05, -3.53808001868935e-06,
    1.7707804556154404e-07, -7.11055004989928e-09, 2.344337905911516e-10, -6.4651518414115946e-12,
    1.51429151205002e-13, -3.0511859694473254e-15, 5.34668038572867e-17, -8.224911372021585e-19,
)  # fmt: skip
_P0_FAR = (
    0.9994603493475187, -0.0005365220468132117, 3.0751847875194745e-06, -5.1705945376060975e-08,
    1.6306464635151382e-09, -7.86409137723707e-11, 5.168262387349193e-12, -4.3045788699253914e-13,
    4.3265957431549404e-14, -5.069034095935236e-15, 6.748072215733873e-16, -1.0011513723467786e-16,
    1.6305919233744186e-17, -2.880866169482871e-18,
)  # fmt: skip
_Q0_FAR = (
    -0.12444683684269607, 0.0005470815954089319, -5.9315987288485175e-06, 1.4377965798375193e-07,
    -5.817532749493056e-09, 3.376097523734991e-10, -2.565397936797308e-11, 2.404916100281365e-12,
    -2.6690625482579414e-13, 3.4041800321963686e-14, -4.87994410531204e-15, 7.729703176242605e-16,
    -1.3348852171502517e-16, 2.4865952389390515e-17, -4.952892629886516e-18, 1.0473158973776097e-18,
)  # fmt: skip
_P1_FAR = (
    1.0009030408600137, 0.0008989898330859408, -3.987284300488908e-06, 6.177633960644299e-08, -1.8718907491063067e-09,
    8.816898659582339e-11, -5.704863640395645e-12, 4.699195515230542e-13, -4.6842237839904895e-14,
    5.452674896044717e-15, -7.221180842274018e-16, 1.0667689114335412e-16, -1.7312313216116335e-17,
    3.0492991197665872e-18,
)  # fmt: skip
_Q1_FAR = (
    0.3742222965562826, -0.0007702178839325664, 7.3108922063643636e-06, -1.676782510726674e-07, 6.583354662120443e-09,
    -3.749090950541556e-10, 2.8121750359748866e-11, -2.61145253946232e-12, 2.8774212663332235e-13,
    -3.649001916061838e-14, 5.206626366226707e-15, -8.215318025458595e-16, 1.4141084390211833e-16,
    -2.626761589838529e-17, 5.2192649196714085e-18, -1.101261718787959e-18,
)  # fmt: skip
_EDGE = 8.0


def _near(x, coefficients):
    return chebyshev(2 * jnp.minimum(x / _EDGE, 1) ** 2 - 1, coefficients)


def _far(x, order, cosine, sine):
    """√(2 / πx) (P cosine - Q sine) at the phase of this order, for x > 8."""
    x = jnp.maximum(x, _EDGE)
    t = 2 * (_EDGE / x) ** 2 - 1
    p, q = ((_P0_FAR, _Q0_FAR), (_P1_FAR, _Q1_FAR))[order]
    phase = x - (0.25 + order / 2) * math.pi
    return jnp.sqrt(2 / (math.pi * x)) * (chebyshev(t, p) * cosine(phase) + chebyshev(t, q) / x * sine(phase))


def _minus_sin(x):
    return -jnp.sin(x)


def _j(x, order):
    size = jnp.abs(x)
    near = _near(size, _J0_NEAR) if order == 0 else size * _near(size, _J1_NEAR)
    found = jnp.where(size <= _EDGE, near, _far(size, order, jnp.cos, _minus_sin))
    return found if order == 0 else jnp.where(x < 0, -found, found)


def _y(x, order):
    safe = jnp.where(x > 0, x, 1)
    if order == 0:
        near = _near(safe, _Y0_NEAR) + 2 / math.pi * jnp.log(safe) * _j(safe, 0)
    else:
        near = safe * _near(safe, _Y1_NEAR) + 2 / math.pi * (jnp.log(safe) * _j(safe, 1) - 1 / safe)
    found = jnp.where(safe <= _EDGE, near, _far(safe, order, jnp.sin, jnp.cos))
    return _positive(x, found, -jnp.inf)


def _positive(x, found, at_zero):
    """found where x is above 0, nan where it is below."""
    return jnp.where(x > 0, found, jnp.where(x == 0, at_zero, jnp.nan))


# Modified: near 0 a series in (x / 2)², with the logarithm; far, e⁻ˣ / √x times one in 2 / x.
_K0_NEAR = (
    -0.2676636966169514, 0.3442898999246285, 0.0359799365153615, 0.001264615411446926, 2.286212103119452e-05,
    2.5347910790261494e-07, 1.904516377220209e-09, 1.0349695257633625e-11, 4.2598161427910826e-14,
    1.3744654358807508e-16,
)  # fmt: skip
_K1_NEAR = (
    0.7626501136694739, -0.3531559607765449, -0.12261118082265715, -0.006975723859639864, -0.0001730288957513052,
    -2.4334061415659684e-06, -2.213387630734726e-08, -1.4114883926335278e-10, -6.666901694199329e-13,
    -2.427449850519366e-15, -7.023863479386288e-18,
)  # fmt: skip
_K0_FAR = (
    1.2201515410329777, -0.0314481013119645, 0.0015698838857300533, -0.00012849549581627802, 1.39498137188765e-05,
    -1.8317555227191195e-06, 2.766813639445015e-07, -4.660489897687948e-08, 8.574034017414225e-09,
    -1.6975345093890614e-09, 3.5773972814003283e-10, -7.957489244477396e-11, 1.8559491149549264e-11,
    -4.514597883374519e-12, 1.1403405882073441e-12, -2.9800969231481784e-13, 8.032890775068375e-14,
    -2.2275133267462965e-14, 6.340076476276646e-15, -1.848593377920907e-15, 5.5120559994043335e-16,
    -1.6782311257549006e-16, 5.2103917776435543e-17, -1.6475805939842632e-17, 5.3004337711773354e-18,
)  # fmt: skip
_K1_FAR = (
    1.3603130952422213, 0.10392373657681724, -0.002857816859622779, 0.00019521551847135162, -1.936197974166083e-05,
    2.406484947837217e-06, -3.5019606030878126e-07, 5.7410841254500495e-08, -1.0345762465678097e-08,
    2.0150497551970347e-09, -4.1903547593419254e-10, 9.218315187605315e-11, -2.129967838427791e-11,
    5.139639673482343e-12, -1.2891739609498229e-12, 3.348419666052243e-13, -8.976705182010146e-14,
    2.4771544242195988e-14, -7.0198370892147685e-15, 2.038703166239861e-15, -6.057047270643018e-16,
    1.8380935752430455e-16, -5.689462849193648e-17, 1.7940510478863572e-17, -5.7567444820733025e-18,
)  # fmt: skip


def _k(x, order, scaled=False):
    safe = jnp.where(x > 0, x, 1)
    low = jnp.minimum(safe, 2)
    t = low * low / 2 - 1
    if order == 0:
        near = chebyshev(t, _K0_NEAR) - jnp.log(low / 2) * special.i0(low)
    else:
        near = chebyshev(t, _K1_NEAR) / low + jnp.log(low / 2) * special.i1(low)
    far = chebyshev(4 / jnp.maximum(safe, 2) - 1, (_K0_FAR, _K1_FAR)[order]) / jnp.sqrt(safe)
    found = jnp.where(safe <= 2, near * jnp.exp(low) if scaled else near, far if scaled else far * jnp.exp(-safe))
    return _positive(x, found, jnp.inf)


# Airy: a series in x on [-4, 4]; beyond, series in 1 / ζ and 1 / ζ², ζ = 2/3 |x|^(3/2).
_AIRY_NEAR = (
    0.03254538061227613, 0.09439601807945978, -0.2398181243417839, 0.06900545569582738, 0.15465262172975722,
    -0.16163926232777537, 0.04281378021236704, 0.028911542674828466, -0.027546755168174036, 0.00700160555775314,
    0.0022620764055913023, -0.0021852808430583384, 0.0005316775980791098, 9.792739054967832e-05,
    -0.0001009381853675059, 2.3539940062029843e-05, 2.6753769656817565e-06, -3.0606102084651644e-06,
    6.860495066144505e-07, 4.968936931361923e-08, -6.569927472538063e-08, 1.4196601560933446e-08,
    6.542818923223979e-10, -1.0518690031771204e-09, 2.197182241849868e-10, 6.194046214824015e-12,
    -1.3050654645505535e-11, 2.6418164375184958e-12, 4.088659087604871e-14, -1.2921374447667754e-13,
    2.540436787301888e-14, 1.5582552188111634e-16, -1.0448923427545402e-15, 1.9991828262773915e-16,
    -1.8284711282615937e-19, -7.032397296437049e-18, 1.3116556459375693e-18,
)  # fmt: skip
_AIRY_RIGHT = (
    0.9939156471208415, -0.005951682172853521, 0.0001274938119525643, -4.894874499654238e-06, 2.6272119491152297e-07,
    -1.773298261745699e-08, 1.42042295392101e-09, -1.302155351703022e-10, 1.3330073810572014e-11,
    -1.4970901449937875e-12, 1.8203436185566892e-13, -2.371883033299006e-14, 3.2849509195621373e-15,
    -4.803859779328941e-16, 7.3775022574558e-17, -1.1844121511715052e-17,
)  # fmt: skip
_AIRY_LEFT_F = (
    0.9993708890742778, -0.0006216836584374116, 7.181193774368645e-06, -2.316269813501758e-07, 1.3216283888528755e-08,
    -1.0938736172758127e-09, 1.1794620737908535e-10, -1.5518841909929856e-11, 2.386927411492466e-12,
    -4.16552889201035e-13, 8.071678110741467e-14, -1.708757321110567e-14, 3.902945148540815e-15,
    -9.523976784907064e-16, 2.4632810885752603e-16, -6.709077463464858e-17, 1.913939683718707e-17,
    -5.693084362113769e-18,
)  # fmt: skip
_AIRY_LEFT_G = (
    0.06882170556308001, -0.0006089151840832694, 1.3174151014089972e-05, -6.014071912908298e-07,
    4.327537342298499e-08, -4.247731732954726e-09, 5.232285376834493e-10, -7.672290975115024e-11,
    1.2923809452698712e-11, -2.43852975710829e-12, 5.059047237872084e-13, -1.1378513792256329e-13,
    2.7441377308322258e-14, -7.03448211263258e-15, 1.9032114367198917e-15, -5.403040541409308e-16,
    1.6016711026585234e-16, -4.937527440352805e-17, 1.577343579778113e-17, -5.206129581838419e-18,
    1.7706787947399463e-18, -6.191669620781984e-19, 2.2214932182083293e-19,
)  # fmt: skip
_BOUND = 4.0
_ZETA = 2 / 3 * _BOUND**1.5


def _airy(x):
    near = chebyshev(jnp.clip(x, -_BOUND, _BOUND) / _BOUND, _AIRY_NEAR)
    size = jnp.maximum(jnp.abs(x), _BOUND)
    zeta = 2 / 3 * size * jnp.sqrt(size)
    root = 1 / (math.sqrt(math.pi) * jnp.sqrt(jnp.sqrt(size)))
    right = jnp.exp(-zeta) * root / 2 * chebyshev(2 * _ZETA / zeta - 1, _AIRY_RIGHT)
    t, phase = 2 * (_ZETA / zeta) ** 2 - 1, zeta + math.pi / 4
    left = root * (jnp.sin(phase) * chebyshev(t, _AIRY_LEFT_F) - jnp.cos(phase) * chebyshev(t, _AIRY_LEFT_G) / zeta)
    found = jnp.where(x > _BOUND, right, jnp.where(x < -_BOUND, left, near))
    return jnp.where(jnp.isinf(x), jnp.nan, found)  # torch: nan at both ends


def _spherical(x):
    small = jnp.abs(x) < 0.5
    square = jnp.where(small, x * x, 0)
    series = 1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72 * (1 - square / 110))))
    safe = jnp.where(small, 1, x)
    return jnp.where(jnp.isinf(x), 0, jnp.where(small, series, jnp.sin(safe) / safe))


def _register(name, words, fn):
    def function(input: Array):
        return in_double(fn)(input)

    function.__doc__ = f"{words} Shape: any -> the same. Has no gradient."
    op(f"special_{name}", door="special", rule=dtypes.real(f"{name}_cpu"), out=True, differentiable=False)(function)


_register("bessel_j0", "The Bessel function of the first kind of order 0.", lambda x: _j(x, 0))
_register("bessel_j1", "The Bessel function of the first kind of order 1.", lambda x: _j(x, 1))
_register("bessel_y0", "The Bessel function of the second kind of order 0.", lambda x: _y(x, 0))
_register("bessel_y1", "The Bessel function of the second kind of order 1.", lambda x: _y(x, 1))
_register("modified_bessel_i0", "The modified Bessel function of the first kind of order 0.", special.i0)
_register("modified_bessel_i1", "The modified Bessel function of the first kind of order 1.", special.i1)
_register("modified_bessel_k0", "The modified Bessel function of the second kind of order 0.", lambda x: _k(x, 0))
_register("modified_bessel_k1", "The modified Bessel function of the second kind of order 1.", lambda x: _k(x, 1))
_register("scaled_modified_bessel_k0", "exp(input) · modified_bessel_k0(input).", lambda x: _k(x, 0, True))
_register("scaled_modified_bessel_k1", "exp(input) · modified_bessel_k1(input).", lambda x: _k(x, 1, True))
_register("spherical_bessel_j0", "sin(input) / input.", _spherical)
_register("airy_ai", "The Airy function.", _airy)
