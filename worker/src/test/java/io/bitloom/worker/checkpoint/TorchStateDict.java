package io.bitloom.worker.checkpoint;

import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.Weights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.bytedeco.pytorch.Tensor;

/** Writes weights as {@code torch.save} writes a state dict: a zip with one storage a tensor. */
public final class TorchStateDict {
  private TorchStateDict() {}

  /** Writes float32 tensors. */
  public static void write(Path file, Weights weights) throws IOException {
    PickleBytes pickle = new PickleBytes().orderedDict().open();
    ZipBytes storages = new ZipBytes();
    int key = 0;
    for (String name : weights.names()) {
      Tensor tensor = weights.get(name);
      long[] shape = tensor.shape();
      pickle.text(name).tensor("" + key, tensor.numel(), 0, shape, strides(shape));
      storages.add("model/data/" + key++, bytes(Tensors.floats(tensor)));
    }
    storages.add("model/data.pkl", pickle.close().end()).write(file);
  }

  private static long[] strides(long[] shape) {
    long[] strides = new long[shape.length];
    long elements = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      strides[axis] = elements;
      elements *= shape[axis];
    }
    return strides;
  }

  private static byte[] bytes(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }
}
