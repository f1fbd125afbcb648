package io.bitloom.engine.tensor;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Tensors out of Java arrays and back, and the few conversions that libtorch's Java methods make
 * wordy. Everything is row-major. Arrays must be smaller than 2^31 elements.
 */
public final class Tensors {
  static {
    LibTorch.start();
  }

  private Tensors() {}

  /** A tensor whose elements are not set. */
  public static Tensor empty(DType dtype, TorchDevice device, long... shape) {
    return torch.empty(shape, options(dtype, device), new MemoryFormatOptional());
  }

  /** A tensor of zeros. */
  public static Tensor zeros(DType dtype, TorchDevice device, long... shape) {
    return torch.zeros(shape, options(dtype, device));
  }

  /** A float32 tensor on the CPU. */
  public static Tensor of(float[] values, long... shape) {
    Tensor tensor = sized(DType.F32, values.length, shape);
    new FloatPointer(tensor.data_ptr()).put(values);
    return tensor;
  }

  /** A float64 tensor on the CPU. */
  public static Tensor of(double[] values, long... shape) {
    Tensor tensor = sized(DType.F64, values.length, shape);
    new DoublePointer(tensor.data_ptr()).put(values);
    return tensor;
  }

  /** An int64 tensor on the CPU. */
  public static Tensor of(long[] values, long... shape) {
    Tensor tensor = sized(DType.I64, values.length, shape);
    new LongPointer(tensor.data_ptr()).put(values);
    return tensor;
  }

  /** A tensor of unsigned bytes on the CPU. */
  public static Tensor of(byte[] values, long... shape) {
    Tensor tensor = sized(DType.U8, values.length, shape);
    new BytePointer(tensor.data_ptr()).put(values);
    return tensor;
  }

  /** A float32 tensor on a device. */
  public static Tensor of(float[] values, TorchDevice device, long... shape) {
    return to(of(values, shape), device);
  }

  /** An int64 tensor on a device. */
  public static Tensor of(long[] values, TorchDevice device, long... shape) {
    return to(of(values, shape), device);
  }

  /** Values on a device, rounded to a floating-point type. */
  public static Tensor of(double[] values, TorchDevice device, DType dtype, long... shape) {
    return to(of(values, shape), device, dtype);
  }

  /** The integers from 0 to {@code count} - 1, int64, made on the device. */
  public static Tensor range(long count, TorchDevice device) {
    return torch.arange(new Scalar(count), options(DType.I64, device)); // (count)
  }

  /**
   * The bytes of a file as a tensor of unsigned bytes, memory-mapped: pages are read when they are
   * touched, and a write stays private to this process. The mapping lives as long as any tensor
   * that views it.
   */
  public static Tensor map(Path file, long bytes) {
    if (bytes == 0) {
      return empty(DType.U8, TorchDevice.CPU, 0);
    }
    return torch.from_file(
        file.toString(),
        new BoolOptional(false),
        new LongOptional(bytes),
        options(DType.U8, TorchDevice.CPU));
  }

  /** The elements as float32, whatever the tensor's type and device. */
  public static float[] floats(Tensor tensor) {
    try (Scope scope = Scope.open()) {
      Tensor plain = plain(tensor, DType.F32);
      float[] values = new float[Math.toIntExact(plain.numel())];
      new FloatPointer(plain.data_ptr()).get(values);
      return values;
    }
  }

  /** The elements as float64, whatever the tensor's type and device. */
  public static double[] doubles(Tensor tensor) {
    try (Scope scope = Scope.open()) {
      Tensor plain = plain(tensor, DType.F64);
      double[] values = new double[Math.toIntExact(plain.numel())];
      new DoublePointer(plain.data_ptr()).get(values);
      return values;
    }
  }

  /** The elements as int64, whatever the tensor's type and device. */
  public static long[] longs(Tensor tensor) {
    try (Scope scope = Scope.open()) {
      Tensor plain = plain(tensor, DType.I64);
      long[] values = new long[Math.toIntExact(plain.numel())];
      new LongPointer(plain.data_ptr()).get(values);
      return values;
    }
  }

  /** The elements as unsigned bytes, whatever the tensor's type and device; true is 1. */
  public static byte[] bytes(Tensor tensor) {
    try (Scope scope = Scope.open()) {
      Tensor plain = plain(tensor, DType.U8);
      byte[] values = new byte[Math.toIntExact(plain.numel())];
      new BytePointer(plain.data_ptr()).get(values);
      return values;
    }
  }

  /** Whether all elements are finite numbers. */
  public static boolean isFinite(Tensor tensor) {
    requireValues(tensor);
    try (Scope scope = Scope.open()) {
      // The least and the largest of values that are not all numbers are no numbers either.
      return tensor.numel() == 0
          || Double.isFinite(doubles(tensor.min())[0]) && Double.isFinite(doubles(tensor.max())[0]);
    }
  }

  /** The type of the tensor's elements. */
  public static DType dtype(Tensor tensor) {
    return DType.of(tensor.scalar_type());
  }

  /** The tensor with elements of another type; the tensor itself where it has that type already. */
  public static Tensor to(Tensor tensor, DType dtype) {
    return tensor.to(dtype.torch());
  }

  /** The tensor on another device, as {@code dtype} where its elements are floating-point. */
  public static Tensor to(Tensor tensor, TorchDevice device, DType dtype) {
    DType own = dtype(tensor);
    return moved(tensor, device, own.floating() ? dtype.torch() : own.torch());
  }

  /** The tensor on another device; the tensor itself where it lies there already. */
  public static Tensor to(Tensor tensor, TorchDevice device) {
    return moved(tensor, device, tensor.scalar_type());
  }

  private static Tensor moved(Tensor tensor, TorchDevice device, torch.ScalarType type) {
    if (device != TorchDevice.CPU && tensor.is_cpu()) {
      Transfers.ofThread().countUpload();
    }
    return device == TorchDevice.CPU ? onCpu(tensor, type) : tensor.to(device.torch(), type);
  }

  private static Tensor onCpu(Tensor tensor, torch.ScalarType type) {
    requireValues(tensor);
    if (!tensor.is_cpu()) {
      Transfers.ofThread().countRead();
    }
    return tensor.to(TorchDevice.CPU.torch(), type);
  }

  /** A tensor on the meta device would be read from address 0. */
  private static void requireValues(Tensor tensor) {
    if (tensor.is_meta()) {
      throw new IllegalStateException(
          "a tensor on the meta device has no values to read, shape "
              + Arrays.toString(tensor.shape()));
    }
  }

  /** The rows of a table (V, …) that indices (N) name: (N, …). */
  public static Tensor rows(Tensor table, Tensor indicesN) {
    return table.is_meta() ? MetaOperators.rows(table, indicesN) : table.index_select(0, indicesN);
  }

  /** a where the condition holds, b elsewhere; all are broadcast to one shape. */
  public static Tensor where(Tensor condition, Tensor a, Tensor b) {
    return condition.is_meta()
        ? MetaOperators.where(condition, a, b)
        : torch.where(condition, a, b);
  }

  /** tensor · factor. */
  public static Tensor times(Tensor tensor, double factor) {
    return tensor.mul(new Scalar(factor));
  }

  /** tensor + summand. */
  public static Tensor plus(Tensor tensor, double summand) {
    return tensor.add(new Scalar(summand));
  }

  /** The tensor with values below {@code least} or above {@code most} replaced by these. */
  public static Tensor clamp(Tensor tensor, double least, double most) {
    return tensor.clamp(
        new ScalarOptional(new Scalar(least)), new ScalarOptional(new Scalar(most)));
  }

  /** The same feature maps (B, C, H, W), in memory with the channels of a cell side by side. */
  public static Tensor channelsLast(Tensor xBCHW) {
    return xBCHW.contiguous(torch.MemoryFormat.ChannelsLast);
  }

  /** The tensors one after the other along an axis. */
  public static Tensor concat(List<Tensor> tensors, int axis) {
    return torch.cat(new TensorVector(tensors.toArray(new Tensor[0])), axis);
  }

  /** Options for libtorch's own factory functions; they belong to the open scope. */
  public static TensorOptions options(DType dtype, TorchDevice device) {
    return new TensorOptions(dtype.torch())
        .device(new org.bytedeco.pytorch.DeviceOptional(device.torch()));
  }

  private static Tensor sized(DType dtype, int values, long... shape) {
    long expected = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    if (expected != values) {
      throw new IllegalArgumentException(
          "shape " + Arrays.toString(shape) + " needs " + expected + " values, got " + values);
    }
    return empty(dtype, TorchDevice.CPU, shape);
  }

  private static Tensor plain(Tensor tensor, DType dtype) {
    return onCpu(tensor.detach(), dtype.torch()).contiguous();
  }
}
