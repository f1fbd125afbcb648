package io.bitloom.engine.tensor;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;

/**
 * A device that holds tensors and computes.
 *
 * @param kind what it is
 * @param index number of the CUDA device, 0 for others
 */
public record TorchDevice(Kind kind, int index) {
  /** The CPU. */
  public static final TorchDevice CPU = new TorchDevice(Kind.CPU, 0);

  /** libtorch's device of tensors that have shape and type, but no values. */
  public static final TorchDevice META = new TorchDevice(Kind.META, 0);

  private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,2}))?");

  /** What a device is. */
  public enum Kind {
    /** The processor's cores. */
    CPU,
    /** An NVIDIA GPU. */
    CUDA,
    /**
     * Computes shapes and types as a GPU would, and fails where values would be read: models of any
     * size are tried out on it, on any machine.
     */
    META
  }

  /** Checks the index. */
  public TorchDevice {
    if (index < 0 || index > Byte.MAX_VALUE || (kind != Kind.CUDA && index != 0)) {
      throw new IllegalArgumentException("device index " + index + " is out of range");
    }
  }

  /** A GPU, by its number among those that this process sees. */
  public static TorchDevice cuda(int index) {
    return new TorchDevice(Kind.CUDA, index);
  }

  /** The device that a tensor lies on. */
  public static TorchDevice of(Tensor tensor) {
    if (tensor.is_cpu()) {
      return CPU;
    }
    return tensor.is_meta() ? META : cuda(tensor.device().index());
  }

  /** Whether it is a GPU. */
  public boolean cuda() {
    return kind == Kind.CUDA;
  }

  /**
   * Reads {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:N}; {@code auto} is the first CUDA
   * device where there is one.
   *
   * @throws IllegalArgumentException if the text is none of these, or names CUDA where there is
   *     none
   */
  public static TorchDevice parse(String text) {
    String name = text.toLowerCase(Locale.ROOT);
    if (name.equals("cpu")) {
      return CPU;
    }
    if (name.equals("auto")) {
      return LibTorch.cudaAvailable() ? cuda(0) : CPU;
    }
    Matcher matcher = CUDA.matcher(name);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "device: expected auto, cpu or cuda:N, got \"" + text + "\"");
    }
    if (!LibTorch.cudaAvailable()) {
      throw new IllegalArgumentException("device " + name + ": no CUDA device is available");
    }
    return cuda(matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1)));
  }

  /** The device as libtorch takes it; belongs to the open scope. */
  public Device torch() {
    LibTorch.start();
    return switch (kind) {
      case CPU -> new Device(DeviceType.CPU);
      case CUDA -> new Device(DeviceType.CUDA, (byte) index);
      case META -> new Device(DeviceType.Meta);
    };
  }

  /**
   * Waits until everything that was queued on the device is computed. A CPU computes at once; a GPU
   * only takes note, so without this a stopwatch measures the queueing.
   */
  public void synchronize() {
    if (cuda()) {
      torch.synchronizeDevice((byte) index);
    }
  }

  /** Bytes of a GPU's memory that are free; a CPU's memory is the operating system's business. */
  public long freeGpuBytes() {
    return torch.getMemoryInfo((byte) index).first();
  }

  /** Gives memory back that freed tensors have left in libtorch's own cache, which GPUs have. */
  public void releaseCachedMemory() {
    if (cuda()) {
      torch.emptyCache();
    }
  }

  @Override
  public String toString() {
    return switch (kind) {
      case CPU -> "cpu";
      case CUDA -> "cuda:" + index;
      case META -> "meta";
    };
  }
}
