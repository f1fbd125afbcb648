package io.bitloom.engine.tensor;

import org.bytedeco.pytorch.global.torch.ScalarType;

/** The element types of tensors, named as safetensors names them. */
public enum DType {
  F64(8, ScalarType.Double, true),
  F32(4, ScalarType.Float, true),
  F16(2, ScalarType.Half, true),
  BF16(2, ScalarType.BFloat16, true),
  I64(8, ScalarType.Long, false),
  I32(4, ScalarType.Int, false),
  I16(2, ScalarType.Short, false),
  I8(1, ScalarType.Char, false),
  U8(1, ScalarType.Byte, false),
  BOOL(1, ScalarType.Bool, false);

  private final int bytes;
  private final ScalarType torch;
  private final boolean floating;

  DType(int bytes, ScalarType torch, boolean floating) {
    this.bytes = bytes;
    this.torch = torch;
    this.floating = floating;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** The type's name in libtorch. */
  public ScalarType torch() {
    return torch;
  }

  /** Whether the elements are floating-point numbers. */
  public boolean floating() {
    return floating;
  }

  /**
   * The type of a libtorch scalar type.
   *
   * @throws IllegalArgumentException for types that Bitloom does not use (complex, quantized, ...)
   */
  public static DType of(ScalarType type) {
    ScalarType known = type.intern();
    for (DType candidate : values()) {
      if (candidate.torch == known) {
        return candidate;
      }
    }
    throw new IllegalArgumentException("element type " + known + " is not supported");
  }
}
