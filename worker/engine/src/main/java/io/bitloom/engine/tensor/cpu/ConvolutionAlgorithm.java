package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Resize;
import org.bytedeco.pytorch.Tensor;

/** The ways to compute a {@link ConvolutionShape}. */
enum ConvolutionAlgorithm {
  /** oneDNN's sum over all taps. */
  DIRECT {
    @Override
    boolean takes(ConvolutionShape shape) {
      return true;
    }

    @Override
    Tensor apply(boolean doubled, Tensor x, Tensor weight, Tensor bias) {
      return CpuConvolution.direct(doubled ? Resize.doubled(x) : x, weight, bias, 1, 1);
    }
  },

  /** {@link PhaseConvolution}. */
  PHASES {
    @Override
    boolean takes(ConvolutionShape shape) {
      return shape.doubled();
    }

    @Override
    Tensor apply(boolean doubled, Tensor x, Tensor weight, Tensor bias) {
      return PhaseConvolution.apply(x, weight, bias);
    }
  },

  /** {@link Winograd}'s, which rounds too coarsely in bfloat16. */
  WINOGRAD {
    @Override
    boolean takes(ConvolutionShape shape) {
      return shape.dtype() == DType.F32 && Winograd.takes(form(shape.doubled()), shape);
    }

    @Override
    Tensor apply(boolean doubled, Tensor x, Tensor weight, Tensor bias) {
      return Winograd.conv3x3(form(doubled), x, weight, bias);
    }

    private WinogradForm form(boolean doubled) {
      return doubled ? WinogradForm.DOUBLED : WinogradForm.SAME_SIZE;
    }
  };

  /** Whether it is defined for the shape and can gain anything there. */
  abstract boolean takes(ConvolutionShape shape);

  /**
   * x (B, in, H, W) to (B, out, H, W), or (B, out, 2H, 2W) if {@code doubled}.
   *
   * @param bias (out) or null
   */
  abstract Tensor apply(boolean doubled, Tensor x, Tensor weight, Tensor bias);
}
