package io.bitloom.worker.checkpoint;

import io.bitloom.worker.checkpoint.Pickled.Global;
import io.bitloom.worker.checkpoint.Pickled.Storage;
import io.bitloom.worker.checkpoint.Pickled.TensorView;
import io.bitloom.worker.checkpoint.Pickled.Tuple;
import io.bitloom.worker.tensor.DType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The globals that a PyTorch checkpoint may name, and the plain data that each of them stands for.
 * Faults are {@link IllegalArgumentException}s; the reader adds file and place.
 */
final class TorchGlobals {
  private static final Map<String, DType> STORAGES =
      Map.of(
          "DoubleStorage", DType.F64,
          "FloatStorage", DType.F32,
          "HalfStorage", DType.F16,
          "BFloat16Storage", DType.BF16,
          "LongStorage", DType.I64,
          "IntStorage", DType.I32,
          "ShortStorage", DType.I16,
          "CharStorage", DType.I8,
          "ByteStorage", DType.U8,
          "BoolStorage", DType.BOOL);

  private static final Set<String> CALLED =
      Set.of(
          "collections.OrderedDict",
          "torch._utils._rebuild_tensor_v2",
          "torch._utils._rebuild_parameter",
          "torch.Size",
          "torch.device",
          "builtins.set",
          "__builtin__.set");

  private static final Set<String> NAMED =
      Set.of(
          "torch.float64",
          "torch.float32",
          "torch.float16",
          "torch.bfloat16",
          "torch.int64",
          "torch.int32",
          "torch.int16",
          "torch.int8",
          "torch.uint8",
          "torch.bool");

  private TorchGlobals() {}

  static boolean allows(Global global) {
    String name = global.toString();
    return CALLED.contains(name) || NAMED.contains(name) || isStorage(global);
  }

  private static boolean isStorage(Global global) {
    return global.module().equals("torch") && STORAGES.containsKey(global.name());
  }

  /** What a persistent id stands for: {@code ("storage", type, key, location, elements)}. */
  static Storage storage(Object id) {
    List<Object> parts = tuple(id, "a persistent id");
    if (parts.size() == 5
        && "storage".equals(parts.get(0))
        && parts.get(1) instanceof Global type
        && isStorage(type)
        && parts.get(2) instanceof String key
        && key.matches("[A-Za-z0-9_]{1,64}")
        && parts.get(4) instanceof Long elements
        && elements >= 0) {
      return new Storage(STORAGES.get(type.name()), key, elements);
    }
    throw new IllegalArgumentException("has a persistent id that is no storage");
  }

  /** What a call of an allowed global yields. */
  static Object rebuild(Object callee, Object arguments) {
    List<Object> values = tuple(arguments, "the arguments of " + Pickled.kind(callee));
    if (callee instanceof Global global) {
      switch (global.toString()) {
        case "collections.OrderedDict" -> {
          if (values.isEmpty()) {
            return new LinkedHashMap<>();
          }
        }
        case "torch._utils._rebuild_tensor_v2" -> {
          if (values.size() >= 6 && values.get(0) instanceof Storage storage) {
            return view(storage, values);
          }
        }
        case "torch._utils._rebuild_parameter" -> {
          if (!values.isEmpty() && values.get(0) instanceof TensorView tensor) {
            return tensor;
          }
        }
        case "torch.Size", "torch.device", "builtins.set", "__builtin__.set" -> {
          if (!values.isEmpty()) {
            return values.get(0);
          }
        }
        default -> {
          throw new IllegalArgumentException("calls " + global + ", which is no function");
        }
      }
      throw new IllegalArgumentException("calls " + global + " with unfit arguments");
    }
    throw new IllegalArgumentException("calls " + Pickled.kind(callee));
  }

  private static TensorView view(Storage storage, List<Object> values) {
    if (values.get(1) instanceof Long offset) {
      return new TensorView(
          storage, offset, integers(values.get(2), "shape"), integers(values.get(3), "strides"));
    }
    throw new IllegalArgumentException("has a tensor whose offset is no integer");
  }

  private static List<Long> integers(Object value, String what) {
    return tuple(value, "a tensor's " + what).stream()
        .map(
            item -> {
              if (item instanceof Long integer) {
                return integer;
              }
              throw new IllegalArgumentException(
                  "has a tensor with " + Pickled.kind(item) + " in its " + what);
            })
        .toList();
  }

  private static List<Object> tuple(Object value, String what) {
    if (value instanceof Tuple tuple) {
      return tuple.items();
    }
    throw new IllegalArgumentException("has " + Pickled.kind(value) + " for " + what);
  }
}
