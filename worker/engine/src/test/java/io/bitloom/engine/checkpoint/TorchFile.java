package io.bitloom.engine.checkpoint;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;

/** Writes weights as {@code torch.save} does: a state dict, alone or at a place in a dictionary. */
public final class TorchFile {
  private static final Map<DType, String> STORAGES =
      Map.of(
          DType.F32, "FloatStorage",
          DType.F16, "HalfStorage",
          DType.BF16, "BFloat16Storage",
          DType.F64, "DoubleStorage",
          DType.I64, "LongStorage");

  private final PickleBytes pickle = new PickleBytes();
  private final ZipBytes zip = new ZipBytes();
  private final Map<Long, String> storages = new HashMap<>();

  private TorchFile() {}

  /** A bare state dict. */
  public static Path bare(Path file, Weights weights) throws IOException {
    TorchFile torch = new TorchFile();
    torch.stateDict(weights);
    return torch.write(file);
  }

  /** {@code {name: state dict}}. */
  public static Path under(Path file, String name, Weights weights) throws IOException {
    TorchFile torch = new TorchFile();
    torch.pickle.op('}').open().text(name);
    torch.stateDict(weights);
    torch.pickle.close();
    return torch.write(file);
  }

  /** A training checkpoint: {@code {"epoch": …, "trainer": {name: state dict, …}}}. */
  public static Path training(Path file, Map<String, Weights> trainer) throws IOException {
    TorchFile torch = new TorchFile();
    torch.pickle.op('}').open().text("epoch").integer(3).text("trainer").op('}').open();
    torch.pickle.text("config").op('}');
    for (Map.Entry<String, Weights> part : trainer.entrySet()) {
      torch.pickle.text(part.getKey());
      torch.stateDict(part.getValue());
    }
    torch.pickle.text("gpt_fsdp_opt").op('}').text("state").op('}', 's');
    torch.pickle.close().close();
    return torch.write(file);
  }

  /** A checkpoint of Lightning, with all that it keeps beside the state dict. */
  public static Path lightning(Path file, Weights weights) throws IOException {
    TorchFile torch = new TorchFile();
    PickleBytes pickle = torch.pickle;
    pickle.op('}').open().text("epoch").integer(3).text("pytorch-lightning_version").text("2.4");
    pickle.text("state_dict");
    torch.stateDict(weights);
    pickle.text("loops").op('}').text("callbacks").op('}').text("lr_schedulers").op(']');
    pickle.text("optimizer_states").op(']', '}').text("state").op('}', 'K', 0, '}').text("step");
    pickle.global("torch._utils", "_rebuild_sparse_tensor").op(')', 'R', 's', 's', 's', 'a');
    pickle.text("hyper_parameters").global("argparse", "Namespace").op(')', 0x81, '}', 'b');
    pickle.text("rng").global("numpy.random", "RandomState").op(')', 'R').text("none").op('N');
    pickle.close();
    return torch.write(file);
  }

  private void stateDict(Weights weights) {
    pickle.orderedDict().open();
    for (String name : weights.names()) {
      try (Scope scope = Scope.open()) {
        tensor(name, weights.get(name).contiguous());
      }
    }
    pickle.close();
  }

  private void tensor(String name, Tensor tensor) {
    long[] shape = tensor.shape();
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      strides[axis] = stride;
      stride *= shape[axis];
    }
    String key = storages.get(tensor.data_ptr().address());
    boolean tied = key != null;
    if (!tied) {
      key = Integer.toString(storages.size());
      storages.put(tensor.data_ptr().address(), key);
    }
    pickle.text(name).global("torch._utils", "_rebuild_tensor_v2").op('(');
    pickle.storage(STORAGES.get(Tensors.dtype(tensor)), key, tensor.numel());
    pickle.integer(0).tuple(shape).tuple(strides).op(0x89).orderedDict().op('t', 'R');
    if (tied) {
      return;
    }
    byte[] data = new byte[(int) tensor.nbytes()];
    new BytePointer(tensor.data_ptr()).get(data);
    zip.add("archive/data/" + key, data);
  }

  private Path write(Path file) throws IOException {
    return zip.add("archive/data.pkl", pickle.end()).write(file);
  }
}
