"""Short-time Fourier transforms: torch.stft and its inverse, composed as torch composes them."""

from jtorch import shapes
from jtorch._tensor import aval
from jtorch.api.infos import known
from jtorch.api.put import both
from jtorch.autograd.apply import call
from jtorch.dtypes import FLOAT
from jtorch.errors import warn

_NO_WINDOW = (
    "which is known to cause spectral leakage. Other windows such as torch.hann_window or torch.hamming_window are "
    "recommended to reduce spectral leakage."
)
_EXPLICIT = (
    "To suppress this warning and use a rectangular window, explicitly set `window=torch.ones(n_fft, device=<device>)`."
)


def _flag(value):
    return "None" if value is None else int(value)


def _typed(window):
    if window is None:
        return "None"
    return f"torch.{aval(window).dtype.label}Tensor{{{shapes.listed(aval(window).shape)}}}"


def _centred(input, width, mode):
    """The signal with a border on both sides, in which the first and the last frame have their centres."""
    if mode == "constant":
        return call("constant_pad_nd", input, (width, width), 0)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    shape = aval(input).shape
    wide = (1,) * (3 - len(shape)) + shape
    if mode == "reflect" and width >= wide[-1]:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({width}, {width}) at dimension {len(wide) - 1} of input {shapes.listed(wide)}"
        )
    return call("pad_mode", input.view(wide), (width, width), mode).view((*shape[:-1], shape[-1] + 2 * width))


def _check_stft(input, n_fft, hop, win_length, window, fail):
    a = aval(input)
    if a.dtype.category < FLOAT:
        fail("expected a tensor of floating point or complex values")
    if a.ndim not in (1, 2):
        fail("expected a 1D or 2D tensor")
    if not 0 < n_fft <= a.shape[-1]:
        fail(f"expected 0 < n_fft < {a.shape[-1]}, but got n_fft={n_fft}")
    if hop <= 0:
        fail(f"expected hop_length > 0, but got hop_length={hop}")
    if not 0 < win_length <= n_fft:
        fail(f"expected 0 < win_length <= n_fft, but got win_length={win_length}")
    if window is not None and aval(window).shape != (win_length,):
        fail(
            f"expected a 1D window tensor of size equal to win_length={win_length}, but got window with size "
            f"{shapes.listed(aval(window).shape)}"
        )


def _padded(window, input, win_length, n_fft):
    """The window, ones where there is none, with zeros around it up to n_fft."""
    if win_length == n_fft:
        return window
    window = input.new_ones(win_length, dtype=aval(input).dtype.to_real()) if window is None else window
    left = (n_fft - win_length) // 2
    return call("constant_pad_nd", window, (left, n_fft - win_length - left), 0)


def _complex_inputs(input, window):
    return aval(input).dtype.is_complex or (window is not None and aval(window).dtype.is_complex)


@both
def stft(
    input, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect", normalized=False,
    onesided=None, return_complex=None, align_to_window=None,
):  # fmt: skip
    """Fourier transforms of the frames of a signal. Shape: (*, length) -> (*, frequencies, frames).

    Raises RuntimeError for sizes that do not fit, and where return_complex is not given for a real signal.
    """
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    if center:
        input = _centred(input, n_fft // 2, pad_mode)
    hop = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length

    def fail(words):
        a = aval(input)
        raise RuntimeError(
            f"stft(torch.{a.dtype.label}Tensor{shapes.listed(a.shape)}, n_fft={n_fft}, hop_length={hop}, "
            f"win_length={win_length}, window={_typed(window)}, normalized={int(normalized)}, "
            f"onesided={_flag(onesided)}, return_complex={_flag(return_complex)}, "
            f"align_to_window={_flag(align_to_window)}) : {words}"
        )

    if window is None:
        warn(f"A window was not provided. A rectangular window will be applied,{_NO_WINDOW}{_EXPLICIT}")
    complex_inputs = _complex_inputs(input, window)
    if return_complex is None:
        if not complex_inputs:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs, and will further require that "
                "return_complex=True in a future PyTorch release."
            )
        return_complex = True
    _check_stft(input, n_fft, hop, win_length, window, fail)
    if not return_complex:
        warn(_REAL_PAIRS)
    onesided = not complex_inputs if onesided is None else onesided
    if onesided and complex_inputs:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    out = _transformed(input, n_fft, hop, _padded(window, input, win_length, n_fft), normalized, onesided)
    return out if return_complex else call("view_as_real", out)


_REAL_PAIRS = (
    "stft with return_complex=False is deprecated. In a future pytorch release, stft will return complex tensors for "
    "all inputs, and return_complex=False will raise an error.\nNote: you can still call torch.view_as_real on the "
    "complex output to recover the old return format."
)


def _transformed(input, n_fft, hop, window, normalized, onesided):
    single = aval(input).ndim == 1
    frames = (input.unsqueeze(0) if single else input).unfold(-1, n_fft, hop)
    if window is not None:
        frames = frames.mul(window)
    if aval(frames).dtype.itemsize < 4:
        raise RuntimeError(f"MKL FFT doesn't support tensors of type: {aval(frames).dtype.label}")
    out = call("fft_rfft" if onesided else "fft_fft", frames, None, -1, "ortho" if normalized else None)
    out.transpose_(1, 2)
    return out.squeeze_(0) if single else out


# The inverse.


def _check_istft(input, n_fft, hop, win_length, window, onesided, fail):
    shape = aval(input).shape
    if not shapes.numel(shape):
        fail(" : input tensor cannot be empty.")
    if len(shape) not in (2, 3):
        fail(f" : expected a tensor with 3 or 4 dimensions, but got {len(shape) + 1}")
    size = shape[-2]
    if onesided and n_fft // 2 + 1 != size:
        fail(
            " : expected the frequency dimension (3rd to the last) of the input tensor to match n_fft / 2 + 1 when "
            f"onesided=True, but got {size}"
        )
    if not onesided and n_fft != size:
        fail(
            " : expected the frequency dimension (3rd to the last) of the input tensor to match n_fft when "
            f"onesided=False, but got {size}"
        )
    if not 0 < hop <= win_length:
        fail(" : expected 0 < hop_length <= win_length")
    if not 0 < win_length <= n_fft:
        fail(" : expected 0 < win_length <= n_fft")
    if window is not None and aval(window).shape != (win_length,):
        fail(" : Invalid window shape. window has to be 1D and length of `win_length`")


@both
def istft(
    input, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False, onesided=None,
    length=None, return_complex=False,
):  # fmt: skip
    """The signal whose stft this is, by least squares. Shape: (*, frequencies, frames) -> (*, length).

    Raises RuntimeError for sizes that do not fit, and where the windows leave a gap between frames.
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length

    def fail(words):
        a = aval(input)
        raise RuntimeError(
            f"istft({a.device.type.upper()}{a.dtype.label}Type{shapes.listed(a.shape)}, n_fft={n_fft}, "
            f"hop_length={hop}, win_length={win_length}, window={_typed(window)}, center={int(center)}, "
            f"normalized={int(normalized)}, onesided={_flag(onesided)}, length={length}, "
            f"return_complex={int(return_complex)}){words}"
        )

    if window is None:
        warn(
            "A window was not provided. A rectangular window will be applied.Please provide the same window used by "
            f"stft to make the inversion lossless.{_EXPLICIT}"
        )
    if not aval(input).dtype.is_complex:
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    sided = n_fft != aval(input).shape[-2] if onesided is None and aval(input).ndim >= 2 else onesided
    _check_istft(input, n_fft, hop, win_length, window, sided, fail)
    if return_complex and sided:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if not return_complex and window is not None and aval(window).dtype.is_complex:
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    window = input.new_ones(win_length, dtype=aval(input).dtype.to_real()) if window is None else window
    window = _padded(window, input, win_length, n_fft)
    frames = _frames(input, n_fft, normalized, sided, return_complex)
    return _overlapped(frames, window, hop, center, length, aval(input).ndim == 2, fail)


def _frames(input, n_fft, normalized, onesided, return_complex):
    """The frames of the signal. Shape: (batch, frames, n_fft)."""
    spectrum = (input.unsqueeze(0) if aval(input).ndim == 2 else input).transpose(1, 2)
    norm = "ortho" if normalized else None
    if return_complex:
        return call("fft_ifft", spectrum, None, -1, norm)
    half = spectrum if onesided else spectrum.narrow(-1, 0, n_fft // 2 + 1)
    return call("fft_irfft", half, n_fft, -1, norm)


def _overlapped(frames, window, hop, center, length, single, fail):
    """The sum of the overlapping frames, divided by that of the squared windows."""
    _, count, n_fft = aval(frames).shape
    whole = n_fft + hop * (count - 1)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else whole - start if center else whole
    stop = min(end, whole)
    sums = call("overlap_add", frames.mul(window.view(1, 1, n_fft)), hop)
    weights = call("overlap_add", window.mul(window).view(1, 1, n_fft).expand(1, count, n_fft), hop)
    sums, weights = sums[:, start:stop], weights[:, start:stop]
    least = known(weights.abs().min() > 1e-11)
    if least is not None and not least:
        fail(" window overlap add min: 1\n[ CPUBoolType{} ]")
    out = sums.div(weights)
    out = out.squeeze(0) if single else out
    if end > whole:
        warn(
            "The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. "
            "Please check your center and hop_length settings."
        )
        out = call("constant_pad_nd", out, (0, end - whole), 0)
    return out
