package io.bitloom.engine.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes pickles opcode by opcode, as {@code torch.save} does, sound or hostile. */
public final class PickleBytes {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  public PickleBytes() {
    op(0x80, 2);
  }

  public PickleBytes op(int... bytes) {
    for (int value : bytes) {
      out.write(value);
    }
    return this;
  }

  public PickleBytes text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    op('X').int32(utf8.length);
    out.writeBytes(utf8);
    return this;
  }

  public PickleBytes integer(long value) {
    op(0x8a, 8);
    out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    return this;
  }

  public PickleBytes int32(int value) {
    out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    return this;
  }

  public PickleBytes global(String module, String name) {
    op('c');
    out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** A text that ends with its line. */
  public PickleBytes line(String text) {
    out.writeBytes((text + "\n").getBytes(StandardCharsets.UTF_8));
    return this;
  }

  public PickleBytes tuple(long... values) {
    op('(');
    for (long value : values) {
      integer(value);
    }
    return op('t');
  }

  /** {@code OrderedDict()}, to be filled between {@link #open} and {@link #close}. */
  public PickleBytes orderedDict() {
    return global("collections", "OrderedDict").op(')', 'R');
  }

  public PickleBytes open() {
    return op('(');
  }

  public PickleBytes close() {
    return op('u');
  }

  public PickleBytes storage(String type, String key, long elements) {
    op('(').text("storage").global("torch", type).text(key).text("cpu").integer(elements);
    return op('t', 'Q');
  }

  /** {@code _rebuild_tensor_v2} on a float storage. */
  public PickleBytes tensor(String key, long elements, long offset, long[] shape, long[] strides) {
    global("torch._utils", "_rebuild_tensor_v2").op('(');
    storage("FloatStorage", key, elements).integer(offset).tuple(shape).tuple(strides);
    return op(0x89).orderedDict().op('t', 'R');
  }

  public byte[] end() {
    op('.');
    return out.toByteArray();
  }
}
