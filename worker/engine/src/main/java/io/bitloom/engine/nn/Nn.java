package io.bitloom.engine.nn;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.DrawRules;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.LibtorchKernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.cpu.CpuKernels;
import io.bitloom.engine.tensor.cuda.CudaKernels;
import io.bitloom.engine.tensor.cuda.MetaKernels;
import java.util.List;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The layers of the models as functions of their input and their parameters, computed by the
 * backend of the device that the input lies on; {@link Kernels} says what each does. A parameter
 * that a layer can do without may be null.
 */
public final class Nn {
  private static final Kernels CPU = new CpuKernels();
  private static final Kernels CUDA = new CudaKernels();
  private static final Kernels META = new MetaKernels();
  private static final ScalarTypeOptional SAME_TYPE = Scope.own(new ScalarTypeOptional());

  private Nn() {}

  /** The backend of a tensor's device; what is no CPU computes as a GPU does. */
  private static Kernels of(Tensor x) {
    if (x.is_cpu()) {
      return CPU;
    }
    return x.is_meta() ? META : CUDA;
  }

  private static Kernels of(TorchDevice device) {
    return switch (device.kind()) {
      case CPU -> CPU;
      case CUDA -> CUDA;
      case META -> META;
    };
  }

  /** x·weightᵀ + bias: x (…, in), weight (out, in), bias (out) or null; differentiable. */
  public static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
    return LibtorchKernels.linear(x, weight, bias); // (…, out)
  }

  /** The rows of a table (V, C) that indices (…) name, (…, C); differentiable. */
  public static Tensor embedding(Tensor table, Tensor indices) {
    return LibtorchKernels.embedding(table, indices);
  }

  /** {@link Kernels#matrix}. */
  static Kernels.Matrix matrix(Tensor weight) {
    return of(weight).matrix(weight);
  }

  /** {@link Kernels#layerNorm}. */
  public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
    return of(x).layerNorm(x, weight, bias, eps);
  }

  /** {@link Kernels#rmsNorm}. */
  public static Tensor rmsNorm(Tensor x, Tensor weight, double eps) {
    return of(x).rmsNorm(x, weight, eps);
  }

  /** {@link Kernels#modulatedNorm}. */
  public static Tensor modulatedNorm(
      Tensor xRLC, boolean rms, double eps, Tensor scaleR1C, Tensor shiftR1C, DType reader) {
    return of(xRLC).modulatedNorm(xRLC, rms, eps, scaleR1C, shiftR1C, reader);
  }

  /** {@link Kernels#gatedAdd}. */
  public static Tensor gatedAdd(Tensor xRLC, Tensor addedRLC, Tensor gateR1C) {
    return of(xRLC).gatedAdd(xRLC, addedRLC, gateR1C);
  }

  /** {@link Kernels#geluTanh(Tensor)}. */
  public static Tensor geluTanh(Tensor x) {
    return of(x).geluTanh(x);
  }

  /** {@link Kernels#geluTanh(Tensor, List)}. */
  public static Tensor geluTanh(Tensor rowsNC, List<Integer> lengths) {
    return of(rowsNC).geluTanh(rowsNC, lengths);
  }

  /** {@link Kernels#silu}. */
  public static Tensor silu(Tensor x) {
    return of(x).silu(x);
  }

  /** {@link Kernels#rotate}. */
  public static Tensor rotate(Tensor xBLHc, Tensor angles) {
    return of(xBLHc).rotate(xBLHc, angles);
  }

  /** {@link Kernels#rotateAndStore}. */
  public static Kernels.Heads rotateAndStore(
      Tensor qkvRL3Hc, Tensor factor, Tensor angles, Kernels.Slot slot) {
    return of(qkvRL3Hc).rotateAndStore(qkvRL3Hc, factor, angles, slot);
  }

  /** {@link Kernels#caches}. */
  public static List<Kernels.BlockCache> caches(
      Kernels.CacheSize size, DType dtype, TorchDevice device) {
    return of(device).caches(size, dtype, device);
  }

  /** {@link Kernels#attention}. */
  public static Tensor attention(
      Tensor qBLHc, Tensor kBTHc, Tensor vBTHc, Tensor mask, double scale) {
    return of(vBTHc).attention(qBLHc, kBTHc, vBTHc, mask, scale);
  }

  /** {@link Kernels#padsSequences}. */
  public static boolean padsSequences(TorchDevice device) {
    return of(device).padsSequences();
  }

  /** {@link Kernels#rowWise}. */
  public static Tensor rowWise(Tensor xRLC, Kernels.OfRows chain) {
    return of(xRLC).rowWise(xRLC, chain);
  }

  /** {@link Kernels#filters}. */
  public static Tensor filters(Tensor weight) {
    return of(weight).filters(weight);
  }

  /** {@link Kernels#conv2d}. */
  public static Tensor conv2d(Tensor x, Tensor weight, Tensor bias, int stride, int padding) {
    return of(x).conv2d(x, weight, bias, stride, padding);
  }

  /** {@link Kernels#doubledConv2d}. */
  public static Tensor doubledConv2d(Tensor x, Tensor weight, Tensor bias) {
    return of(x).doubledConv2d(x, weight, bias);
  }

  /** {@link Kernels#groupNorm}. */
  public static Tensor groupNorm(Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    return of(x).groupNorm(x, groups, weight, bias, eps);
  }

  /** {@link Kernels#groupNormSilu}, which leaves x as it is. */
  public static Tensor groupNormSilu(Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    return of(x).groupNormSilu(x, groups, weight, bias, eps, false);
  }

  /** {@link Kernels#groupNormSilu}, over x where that saves memory: nothing else may need x. */
  public static Tensor groupNormSiluInPlace(
      Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
    return of(x).groupNormSilu(x, groups, weight, bias, eps, true);
  }

  /** {@link Kernels#uniform}. */
  public static Tensor uniform(Tensor startsB1, int count) {
    return of(startsB1).uniform(startsB1, count);
  }

  /** {@link Kernels#draw}. */
  public static Tensor draw(Tensor logitsBNV, DrawRules rules, Tensor uniformBN) {
    return of(logitsBNV).draw(logitsBNV, rules, uniformBN);
  }

  /** {@link LibtorchKernels#l2Normalize}. */
  public static Tensor l2Normalize(Tensor x, int axis) {
    return LibtorchKernels.l2Normalize(x, axis);
  }

  /** Softmax along one axis. */
  public static Tensor softmax(Tensor x, int axis) {
    return torch.softmax(x, axis, SAME_TYPE);
  }
}
